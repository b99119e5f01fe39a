"""Reads .txt and .md files, which are kept as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rustqa.corpus import document_id, make_document
from rustqa.sources.contents import decode, read_bytes
from rustqa.sources.files import SourceFile, stem
from rustqa.sources.metadata import TEXT_FIELDS, merge
from rustqa.types import Document

_FENCE = re.compile(r"---[ \t]*")
_END = re.compile(r"(?:---|\.\.\.)[ \t]*")
_FIELD = re.compile(r"([\w-]+)[ \t]*:(?:[ \t]+(.*))?")
# Lists, comments and values of several lines may stand between the fields.
_OTHER = re.compile(r"[ \t#-].*|")
_MAX_LINES = 200


def read_text(file: SourceFile, metadata: Mapping[str, Any]) -> Document:
    """The article in the file; of a .md file, what its front matter says is known too."""
    data = read_bytes(file.path)
    text = decode(data)
    body, found = front_matter(text) if file.path.suffix.lower() == ".md" else (0, {})
    fields = merge(found, metadata)
    return make_document(document_id(stem(file.name)), text, data, fields, body)


def front_matter(text: str) -> tuple[int, dict[str, str]]:
    """Where the text begins behind its front matter (0 if it has none), and the fields in that."""
    if not text.startswith("---"):
        return 0, {}
    found: dict[str, str] = {}
    fields = end = 0
    # Only the first lines are looked at; the rest stays in one piece.
    lines = re.split(r"(\r\n|\r|\n)", text, maxsplit=_MAX_LINES)
    for place in range(0, len(lines) - 1, 2):
        line = lines[place]
        end += len(line) + len(lines[place + 1])
        field = _FIELD.fullmatch(line)
        if place == 0:
            if not _FENCE.fullmatch(line):
                break
        elif _END.fullmatch(line):
            return (end, found) if fields else (0, {})
        elif field:
            fields += 1
            if (name := field[1].lower()) in TEXT_FIELDS and (value := _value(field[2] or "")):
                found.setdefault(name, value)
        elif not _OTHER.fullmatch(line):
            break
    return 0, {}


def _value(written: str) -> str | None:
    """The plain or quoted text that a field holds; None for a list or a text of several lines."""
    written = written.strip()
    if len(written) > 1 and written[0] == written[-1] == '"':
        try:
            value = json.loads(written)
        except ValueError:
            return written[1:-1]
        return value if _is_text(value) else None
    if len(written) > 1 and written[0] == written[-1] == "'":
        return written[1:-1].replace("''", "'")
    return None if written.startswith(("[", "{", "|", ">", "&", "*", "!")) else written


def _is_text(value: object) -> bool:
    """Whether it is a text that can be written down: an escape may be half a character."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)
