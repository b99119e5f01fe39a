"""Addresses of collections: what they say and what is wrong with others."""

from __future__ import annotations

import pytest

from rustqa.errors import InputError
from rustqa.store.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qdrant://localhost/news", Address(("http://localhost:6333",), "news")),
        ("qdrants://q.example:443/a_b-1", Address(("https://q.example:443",), "a_b-1")),
        ("qdrant://[::1]:7000/news", Address(("http://[::1]:7000",), "news")),
        ("qdrant://a:1,b/n", Address(("http://a:1", "http://b:6333"), "n")),
        (
            "qdrant://a/n?shards=6&replicas=2&write_consistency=1",
            Address(("http://a:6333",), "n", 6, 2, 1),
        ),
    ],
)
def test_an_address_names_nodes_a_collection_and_how_it_is_spread(
    text: str, expected: Address
) -> None:
    """Ports default to Qdrant's; a further s means TLS."""
    assert parse_address(text) == expected


def test_an_address_is_shown_as_it_is_written() -> None:
    """Without what counts only when the collection is made."""
    assert str(parse_address("qdrants://a:1,b/n?shards=2")) == "qdrants://a:1,b:6333/n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no address"),
        ("http://a/n", "write it like qdrant://"),
        ("qdrant://a", "no name of a collection"),
        ("qdrant://a/n/m", "no name of a collection"),
        ("qdrant:///n", "no host"),
        ("qdrant://a:b/n", "no host"),
        ("qdrant://a:70000/n", "no host"),
        ("qdrant://a,/n", "no host"),
        ("qdrant://a/n?shards=0", "shards='0'"),
        ("qdrant://a/n?api_key=s3cret", "no setting of a collection"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(text: str, told: str) -> None:
    """In one line that says what to write."""
    with pytest.raises(InputError, match=told) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_key_in_an_address_is_refused_and_not_repeated() -> None:
    """It would stand in the shell's history; the message names the variable for it."""
    with pytest.raises(InputError, match="RUSTQA_QDRANT_API_KEY") as caught:
        parse_address("qdrant://s3cret@host/news")
    assert "s3cret" not in str(caught.value)
