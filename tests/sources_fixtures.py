"""Files of articles for the tests: folders, and PDFs small enough to be written by hand."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rustqa.sources.files import Problem, find_files
from rustqa.sources.reading import read_file
from rustqa.types import Document

# A line of text: where it starts, the height of its letters, and its words.
PdfLine = tuple[float, float, float, str]


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """The folder with these files in it."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read_all(source: Path) -> list[Document | Problem]:
    """All that is found in a source, its problems first."""
    files, problems = find_files(source)
    return [*problems, *(found for file in files for found in read_file(file))]


def read_one(folder: Path, name: str, content: bytes | str) -> Document | Problem:
    """What is made of a file of this name with this content."""
    [found] = read_all(write(folder, {name: content}) / name)
    return found


def lines_of(text: str, top: float = 700, step: float = 14, size: float = 12) -> list[PdfLine]:
    """Lines one below the other; a blank line leaves half a line's space."""
    placed, y = [], top
    for line in text.splitlines():
        if line:
            placed.append((72.0, y, size, line))
        y -= step if line else step / 2
    return placed


def make_pdf(
    pages: Sequence[Sequence[PdfLine]],
    info: str = "",
    trailer: str = "",
    content: bytes | None = None,
    compressed: bool = False,
) -> bytes:
    """A PDF of these pages; `content` takes the place of what draws each page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{5 + 2 * place} 0 R" for place in range(len(pages)))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode())
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    objects += [font, f"<<{info}>>".encode()]
    for place, page in enumerate(pages):
        resources = "/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 612 792]"
        link = f"/Contents {6 + 2 * place} 0 R"
        objects.append(f"<</Type/Page/Parent 2 0 R{resources}{link}>>".encode())
        data = b"\n".join(_draw(page)) if content is None else content
        data = zlib.compress(data, 9) if compressed else data
        filters = "/Filter/FlateDecode" if compressed else ""
        objects.append(f"<</Length {len(data)}{filters}>>stream\n".encode() + data + b"\nendstream")
    made, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info 4 0 R{trailer}>>"
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return made + head + table + f"{end}\nstartxref\n{len(made)}\n%%EOF\n".encode()


def _draw(lines: Sequence[PdfLine]) -> Iterator[bytes]:
    yield b"BT"
    for x, y, size, text in lines:
        escaped = text.encode("cp1252")
        for char in (b"\\", b"(", b")"):
            escaped = escaped.replace(char, b"\\" + char)
        yield b"/F1 %g Tf 1 0 0 1 %g %g Tm (%s) Tj" % (size, x, y, escaped)
    yield b"ET"
