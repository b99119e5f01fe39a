"""Characters that cannot be seen: which they are, and how they are shown."""

from __future__ import annotations

import unicodedata

import pytest

from rustqa.controls import CONTROL, escaped, name_of, without_controls
from rustqa.web import host_of, seen

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def test_what_counts_as_a_control() -> None:
    """Everything that turns text round, everything of no width but joiners, hyphens and white
    space; and no letter."""
    found = {chr(code) for code in range(0x110000) if (m := CONTROL.fullmatch(chr(code))) and m[1]}
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.bidirectional(char) in turning:
            assert char in found, name_of(char)
        if unicodedata.category(char) == "Cc" and not char.isspace():
            assert char in found, name_of(char)
    assert {"\u061c", "\u200e", "\u200f", "\u200b", "\ufeff", "\U000e0041"} <= found
    assert found.isdisjoint("\t\n\r \u00a0\u00ad\u200c\u200d\ufe0f")
    for char in found:
        assert unicodedata.category(char) in {"Cc", "Cf", "Cn", "Lo", "Mn"}


def test_a_flag_stays_whole() -> None:
    """Its tags are seen as a flag."""
    assert escaped(SCOTLAND) == without_controls(SCOTLAND) == seen(SCOTLAND) == SCOTLAND


def test_shown_in_the_terminal_and_on_the_page() -> None:
    """Spelt out in the one, named beside the other; the rest is as it was, and escaped."""
    text = "<b>5\u202e0\x1b</b>"
    assert escaped(text) == r"<b>5\u202e0\x1b</b>"
    assert without_controls(text) == "<b>50</b>"
    assert seen(text) == (
        '&lt;b&gt;5<span class="control" data-name="U+202E">\u202e</span>0'
        '<span class="control" data-name="U+001B">\x1b</span>&lt;/b&gt;'
    )
    assert seen(None) == ""


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://News.example/a?b#c", "news.example"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/", "xn--80ak6aa92e.com"),
        ("https://b\u0430nk.example/", "xn--bnk-6cd.example"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://evil.example\\@bank.example/", "evil.example"),
        ("https://bank.example\u2044x.evil.example/", "bank.xn--examplex-k03d.evil.example"),
        ("https://%62ank.example/", None),
        ("https://ba nk.example/", None),
        ("https://bank\u202e.example/", None),
        ("https://", None),
        ("https:///evil.example", None),
        ("https://[::1", None),
        ("https://" + "a" * 70 + ".example", None),
        ("javascript:alert(1)", None),
        (" https://news.example", None),
        ("ftp://news.example", None),
        (None, None),
    ],
)
def test_the_host_of_a_link(url: str | None, host: str | None) -> None:
    """In ASCII, as a browser would go there; an address whose host cannot be told is no link."""
    assert host_of(url) == host
