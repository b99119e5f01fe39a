"""The address of a collection: qdrant://HOST[:PORT][,HOST…]/COLLECTION[?shards=…&replicas=…]."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from rustqa.errors import InputError

PORT = 6333
SCHEMES = {"qdrant": "http", "qdrants": "https"}

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::(\d{1,5}))?")
_NAME = re.compile(r"[\w-]{1,200}", re.ASCII)
_NUMBERS = ("shards", "replicas", "write_consistency")
_EXAMPLE = "write it like qdrant://localhost:6333/articles"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is: `urls` of one node or several of the same cluster, and its name.

    `shards`, `replicas` and `write_consistency` (how many replicas must confirm a write) count when
    the collection is made; None leaves them to Qdrant.
    """

    urls: tuple[str, ...]
    collection: str
    shards: int | None = None
    replicas: int | None = None
    write_consistency: int | None = None

    @property
    def documents(self) -> str:
        """The name of the collection that holds the articles."""
        return f"{self.collection}-documents"

    @property
    def hosts(self) -> str:
        """The nodes as shown to a person."""
        return ", ".join(url.partition("//")[2] for url in self.urls)

    def __str__(self) -> str:
        scheme = "qdrants" if self.urls[0].startswith("https:") else "qdrant"
        return f"{scheme}://{self.hosts.replace(', ', ',')}/{self.collection}"


def parse_address(text: str) -> Address:
    """The address in the text; raises InputError that says what is wrong with it."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in SCHEMES:
        raise InputError(f"{scheme!r} is no address of a collection; {_EXAMPLE}")
    place, _, query = rest.partition("?")
    hosts, _, name = place.partition("/")
    if "@" in hosts:
        # What stands before it may be secret, so it is not shown.
        raise InputError(
            "the address of a collection holds no name and no key; set RUSTQA_QDRANT_API_KEY"
        )
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name of a collection (letters, digits, _ and -); {_EXAMPLE}"
        )
    urls = tuple(f"{SCHEMES[scheme]}://{_host(host)}" for host in hosts.split(","))
    return Address(urls, name, **_numbers(query))


def _host(text: str) -> str:
    found = _HOST.fullmatch(text)
    port = int(found[2] or PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise InputError(f"{text!r} is no host of Qdrant; {_EXAMPLE}")
    return f"{found[1]}:{port}"


def _numbers(query: str) -> dict[str, int]:
    numbers = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in _NUMBERS:
            raise InputError(f"{key!r} is no setting of a collection; there are: shards, replicas, "
                             "write_consistency")  # fmt: skip
        if not re.fullmatch(r"[1-9]\d{0,3}", value):
            raise InputError(f"{key}={value!r} is no number of them; give one from 1 on")
        numbers[key] = int(value)
    return numbers
