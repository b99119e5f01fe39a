"""Takes the article out of a saved web page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rustqa.corpus import document_id, make_document
from rustqa.errors import CorpusError
from rustqa.sources.contents import MAX_CHARACTERS, TOO_MUCH_TEXT, contained, read_bytes
from rustqa.sources.files import SourceFile, stem
from rustqa.sources.metadata import merge
from rustqa.types import Document

# A page of more elements than any article takes minutes; one of so many, a quarter of one.
_MAX_TAGS = 100_000
# lxml takes time with the square of their number: 20,000 of one tag take five seconds.
_MAX_ATTRIBUTES = 1000
_LOGGERS = ("trafilatura", "htmldate", "courlan", "justext", "charset_normalizer")
_INLINE = frozenset({"hi", "ref", "del", "span", "b", "i", "em", "strong", "a"})
_LEFT_OUT = frozenset({"table", "graphic", "script", "style"})
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
# Tags as HTML's own standard tells them apart, whatever stands in them.
_TAG_START = re.compile(r"<(?:(!--)|([a-z][^\s/>]*+))", re.IGNORECASE | re.ASCII)
_ATTRIBUTE = re.compile(
    r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>"'][^\s>]*+)?+)?+""",
    re.ASCII,
)
_ATTRIBUTES = re.compile(rf"(?:{_ATTRIBUTE.pattern})*+", re.ASCII)
_RAW = frozenset({"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"})
# Where a page spells out a control character, lxml makes a text that trafilatura refuses whole.
_CONTROL = re.compile(
    r"&#(?:0*(?:[1-8]|1[1-24-9]|2\d|3[01])|x0*(?:[1-8bcef]|1[\da-f]));?(?![\da-f])", re.IGNORECASE
)
# Pages that name the first of these are in truth written in the second.
_LATIN = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}
_WHOLE = re.compile(r"""[.!?…:;。！？؟।]["'”’»›)\]]*$""")
_PARTED = "\n\n"
_LINE_END = "\n"

# Such a share of a page that is a list are items of it.
_LISTED = 0.7


def read_html(file: SourceFile, metadata: Mapping[str, Any]) -> Document:
    """The page's main text, its paragraphs parted by blank lines, and what the page says of it."""
    data = read_bytes(file.path)
    if data.count(b"<") > _MAX_TAGS:
        raise CorpusError(f"more than {_MAX_TAGS:,} tags; keep only the article of the page")
    text, found = _extract(data)
    if not text:
        raise CorpusError("no article text found; save the article itself, or its text as .txt")
    if _is_list(text):
        raise CorpusError("a list of links or headlines, not an article; save the article itself")
    if len(text) > MAX_CHARACTERS:
        raise CorpusError(TOO_MUCH_TEXT)
    return make_document(document_id(stem(file.name)), text, data, merge(found, metadata))


def _is_list(text: str) -> bool:
    """Whether nearly all of the text are items that are no sentences."""
    blocks = text.split(_PARTED)
    bare = [block for block in blocks if block.startswith("- ") and not _WHOLE.search(block)]
    return len(bare) >= _LISTED * len(blocks)


def _extract(data: bytes) -> tuple[str, dict[str, str]]:
    from trafilatura import bare_extraction

    with contained(_LOGGERS, "not a page that can be read", "save it anew, or its text as .txt"):
        markup = _CONTROL.sub("", _decode(data))
        if any(number > _MAX_ATTRIBUTES for number in _attributes(markup)):
            raise CorpusError(
                f"a tag of more than {_MAX_ATTRIBUTES:,} attributes; save its text as .txt"
            )
        page = bare_extraction(
            markup,
            favor_precision=True,
            include_comments=False,
            include_tables=False,
            with_metadata=True,
            # A date that only stands somewhere in the text may be any date.
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
        if page is None or isinstance(page, dict) or page.body is None:
            return "", {}
        found = {
            "title": page.title,
            "date": page.date,
            "url": page.url,
            "source": page.sitename,
            "licence": page.license,
        }
        text = _PARTED.join(_paragraphs("".join(_flat(page.body))))
        return text, {name: " ".join(value.split()) for name, value in found.items() if value}


def _attributes(markup: str) -> Iterator[int]:
    """How many attributes the longer tags have."""
    place = 0
    while start := _TAG_START.search(markup, place):
        comment, name = start.groups()
        if comment:
            place = markup.find("-->", start.end())
        elif tag := _ATTRIBUTES.match(markup, start.end()):
            place = tag.end()
            if place - tag.start() > _MAX_ATTRIBUTES:
                yield sum(1 for _ in _ATTRIBUTE.finditer(markup, tag.start(), place))
            if name.lower() in _RAW:
                end = re.compile(rf"</{name}", re.IGNORECASE | re.ASCII).search(markup, place)
                place = end.start() if end else -1
        if place < 0:
            return


def _decode(data: bytes) -> str:
    """The page as text: UTF-8, else as the page itself says, else as its letters suggest."""
    from trafilatura.utils import detect_encoding

    declared = _CHARSET.search(data[:4096])
    name = declared[1].decode("ascii").lower() if declared else ""
    guesses = ["utf-8-sig", _LATIN.get(name, name), *detect_encoding(data)]
    for encoding in filter(None, guesses):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return data.decode("utf-8", "replace")


def _flat(element: Any) -> Iterator[str]:
    """The text in an element of the page, with marks where blocks and lines end."""
    if element.tag == "lb":
        yield _LINE_END
    elif element.tag not in _LEFT_OUT:
        block = element.tag not in _INLINE
        if block:
            yield _PARTED
        if element.tag == "item":
            yield "- "
        yield re.sub(r"\s+", " ", element.text or "")
        for child in element:
            yield from _flat(child)
        if block:
            yield _PARTED
    yield re.sub(r"\s+", " ", element.tail or "")


def _paragraphs(flat: str) -> Iterator[str]:
    """The blocks; a line end within one parts it only where a sentence ends, too."""
    for block in re.split(r"\n{2,}", flat):
        paragraph = ""
        for line in filter(None, (" ".join(line.split()) for line in block.split(_LINE_END))):
            if paragraph and _WHOLE.search(paragraph):
                yield paragraph
                paragraph = ""
            paragraph = f"{paragraph} {line}".lstrip()
        if paragraph.strip("- "):
            yield paragraph
