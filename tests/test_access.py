"""API keys, names of hosts and origins, as they are given."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from rustqa.access import Keys, host_names, is_loopback, origins
from rustqa.errors import InputError

KEY, OTHER = "a-key-of-sixteen-", "another-key-of-sixteen"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two keys."""
    path = tmp_path / "keys"
    path.write_text(f"# the newsroom\n{KEY}\n\n  {OTHER}  \n")
    return path


def test_every_key_of_the_file_is_accepted(file: Path) -> None:
    """And the single one; each has a holder of its own, by whose name it cannot be found out."""
    keys = Keys(file, "the-single-key-of-all")
    holders = [keys.holder(key) for key in (KEY, OTHER, "the-single-key-of-all")]
    assert len({*holders} - {None}) == 3
    assert all(KEY not in str(holder) for holder in holders)
    for wrong in ("", KEY[:-1], f"{KEY}x", "# the newsroom", KEY.upper(), "\udcff"):
        assert keys.holder(wrong) is None


def test_marks_of_editors_and_shells_are_no_part_of_a_key(tmp_path: Path) -> None:
    """A byte order mark, the end of a line."""
    file = tmp_path / "keys"
    file.write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert Keys(file).holder(KEY)
    assert Keys(None, f"{KEY}\n").holder(KEY)


def test_every_key_is_compared(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In constant time, whichever it is, so that how long it takes says nothing."""
    compared: list[bytes] = []

    def compare(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return known == given

    keys = Keys(file)
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for key in (KEY, OTHER, "wrong"):
        compared.clear()
        keys.holder(key)
        assert len(compared) == 2


def test_keys_are_nowhere_to_be_seen(file: Path) -> None:
    """Not in what is printed of them, nor kept but as digests."""
    keys = Keys(file)
    assert KEY not in repr(keys)
    assert KEY not in str(vars(keys))


def test_keys_are_read_again(file: Path) -> None:
    """A key that was taken out is accepted no longer; an unusable file changes nothing."""
    keys = Keys(file)
    file.write_text(f"{OTHER}\n")
    keys.reload()
    assert keys.holder(KEY) is None
    file.unlink()
    with pytest.raises(InputError, match="No such file or directory; name a file of API keys"):
        keys.reload()
    assert keys.holder(OTHER)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing\n", "holds no API key; write one a line: openssl"),
        (b"short\n", "line 1: this API key has 5 characters, not at least 16; make another"),
        (b"\xff\xfe\n", "not UTF-8"),
        ("schlüssel-für-alle-welt\n".encode(), "holds a space or a letter that no header takes"),
        (b"a-key-of-sixteen- # alice\n", "line 1: this API key holds a space"),
    ],
)
def test_a_file_of_bad_keys(tmp_path: Path, content: bytes, message: str) -> None:
    """It is refused, and the message does not show what is in it."""
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as info:
        Keys(path)
    assert "short\n" not in str(info.value)


def test_names_of_hosts() -> None:
    """They are compared in small letters; what is no name is refused."""
    assert host_names(["News.Example.", "nas"]) == {"news.example", "nas"}
    for bad in ("https://news.example", "news.example:8000", "a b", "", "*"):
        with pytest.raises(InputError, match="is no name of a host; give it without port"):
            host_names([bad])


def test_origins() -> None:
    """They are given as browsers send them; nothing else gets into a header."""
    assert origins(["https://a.example:443", "http://a.example:80"]) == (
        "https://a.example", "http://a.example",
    )  # fmt: skip
    given = ["https://News.example/", "http://127.0.0.1:8000", "http://[::1]:81"]
    assert origins(given) == ("https://news.example", "http://127.0.0.1:8000", "http://[::1]:81")
    for bad in ("news.example", "*", "https://a.example; script-src *", "https://a/b", "null"):
        with pytest.raises(InputError, match=r"is no origin; give it as https://news\.example"):
            origins([bad])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("news.example", False),  # noqa: S104
    ],
)  # fmt: skip
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    """Anything that is not certain to be loopback is not."""
    assert is_loopback(host) is loopback
