"""Characters that cannot be seen but reorder or hide what stands beside them, made visible."""

from __future__ import annotations

import re

# Controls of the direction (Unicode Standard Annex 9), all other controls but white space, what
# has no width, letters that show nothing, and tags, which spell out text that nobody sees.
_UNSEEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
# Tags behind a black flag make it that of England, Scotland or Wales.
_FLAG = r"\U0001f3f4[\U000e0061-\U000e007a]{5}\U000e007f"
CONTROL = re.compile(rf"{_FLAG}|([{_UNSEEN}])")
"""Matches such a character, which is group 1, or a flag, which is none."""


def name_of(char: str) -> str:
    """How a character is called in Unicode: U+202E."""
    return f"U+{ord(char):04X}"


def escaped(text: str) -> str:
    """The text with each control spelt out, as by Python in a string."""
    return CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode() if m[1] else m[0], text)


def without_controls(text: str) -> str:
    """The text as it serves for names: no control in it."""
    return CONTROL.sub(lambda m: "" if m[1] else m[0], text)
