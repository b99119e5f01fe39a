"""Who may ask: API keys, read from a file or the environment, and names and origins that are let
in."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from rustqa.errors import InputError

SHORTEST = 16
_HOST = r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_NAME = re.compile(_HOST)
_ORIGIN = re.compile(rf"https?://(?:{_HOST}|\[[0-9a-f:]+\])(?::\d{{1,5}})?")


class Keys:
    """The API keys that are accepted; only their digests are kept."""

    def __init__(self, file: Path | None, key: str | None = None) -> None:
        """Those in the file, one a line, blank lines and lines that begin with # left aside, and
        the single `key`; raises InputError if there are none, or one is easily guessed."""
        self._file = file
        self._key = key
        self._digests: tuple[bytes, ...] = ()
        self.reload()

    def reload(self) -> None:
        """Reads the file again; raises InputError and keeps those known if it cannot be used."""
        keys = read_keys(self._file) if self._file else {}
        if self._key:
            keys["RUSTQA_API_KEY"] = self._key.strip()
        for where, key in keys.items():
            if not key.isascii() or len(key.split()) > 1:
                raise InputError(
                    f"{where}: this API key holds a space or a letter that no header takes; make "
                    "another: openssl rand -hex 32"
                )
            if len(key) < SHORTEST:
                raise InputError(
                    f"{where}: this API key has {len(key)} characters, not at least {SHORTEST}; "
                    "make another: openssl rand -hex 32"
                )
        if not keys:
            raise InputError(
                f"{self._file} holds no API key; write one a line: openssl rand -hex 32 >> "
                f"{self._file}"
            )
        self._digests = tuple(map(_digest, keys.values()))

    def __len__(self) -> int:
        return len(self._digests)

    def holder(self, key: str) -> str | None:
        """Who has the key, by what cannot be turned back into it; None if it is none of these.

        All are compared, each in constant time.
        """
        given = _digest(key)
        found = [known for known in self._digests if hmac.compare_digest(known, given)]
        return f"key {found[0].hex()[:12]}" if found else None


def read_keys(file: Path) -> dict[str, str]:
    """The keys in a file, by where each stands; raises InputError if it cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; name a file of API keys") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8; write API keys in plain letters") from None
    keys = {f"{file}, line {number}": line.strip() for number, line in enumerate(lines, 1)}
    return {where: key for where, key in keys.items() if key and not key.startswith("#")}


def host_names(names: Iterable[str]) -> frozenset[str]:
    """Names in the form in which they are compared; raises InputError if one is none."""
    lowered = [name.strip().lower().removesuffix(".") for name in names]
    for name in lowered:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is no name of a host; give it without port and scheme, in ASCII (xn--…)"
            )
    return frozenset(lowered)


def origins(given: Iterable[str]) -> tuple[str, ...]:
    """Origins in the form in which browsers send them; raises InputError if one is none."""
    lowered = tuple(origin.strip().lower().removesuffix("/") for origin in given)
    for origin in lowered:
        if not _ORIGIN.fullmatch(origin):
            raise InputError(f"{origin!r} is no origin; give it as https://news.example")
    # Browsers leave out the usual port.
    return tuple(
        origin.removesuffix(":443" if origin.startswith("https") else ":80") for origin in lowered
    )


def is_address(name: str) -> bool:
    """Whether it is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    return ip_address(host).is_loopback if is_address(host) else host.lower() == "localhost"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
