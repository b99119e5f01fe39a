"""Bombs: small files that would take all memory or time are refused, and the others are read."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from fakes import REPOSITORY
from sources_fixtures import make_pdf, write

RAIN = "It rained on Monday."
# What reading, splitting and indexing may take on a busy machine, imports included.
SECONDS, MEGABYTES = 60, 1500
# Prints of each file what became of it, and the greatest number of megabytes that it took.
INDEXING = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
from fakes import FakeEncoder
from rustqa.indexing import build_in_memory
from rustqa.sources.files import Problem, find_files
from rustqa.sources.reading import read_file
from rustqa.speakers import Speakers
from rustqa.passages import split_sentences
files, problems = find_files(Path(sys.argv[1]))
found = [*problems, *(item for file in files for item in read_file(file))]
documents = [item for item in found if not isinstance(item, Problem)]
store = build_in_memory(documents, FakeEncoder(dimensions=4))
passages = [passage for document in documents for passage in store.passages_of(document.id)]
# Its own peak: getrusage tells of that of the process which began it, too.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([
    {document.id: len(document.text) for document in documents},
    [f"{item.name}: {item.reason}" for item in found if isinstance(item, Problem)],
    max(passage.end - passage.start for passage in passages),
    int(peak.split()[1]) // 1024,
]))
"""


def indexed(folder: Path, name: str, content: bytes | str) -> tuple[dict[str, int], list[str]]:
    """The articles of a folder with this file and a harmless one, and what could not be used; in a
    process of its own, whose time, memory and passages are bounded."""
    write(folder, {name: content, "rain.txt": RAIN})
    paths = f"{REPOSITORY / 'src'}:{REPOSITORY / 'tests'}"
    run = subprocess.run(
        [sys.executable, "-c", INDEXING, str(folder)],
        env={"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stderr == ""
    documents, problems, longest, megabytes = json.loads(run.stdout)
    assert documents.pop("rain") == len(RAIN)
    assert longest <= 10_000
    assert megabytes < MEGABYTES
    return documents, problems


def inflated(filters: str, data: bytes) -> bytes:
    """A PDF of one page whose content is packed already."""
    made = make_pdf([[]], content=data)
    length = b"/Length %d" % len(data)
    return made.replace(length, length + filters.encode())


@cache
def gigabytes() -> bytes:
    """Four gigabytes of zeros, deflated: the same block again and again, which leans on none."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * 10_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + 400 * block


def pages(kids: bytes, others: bytes = b"", count: int = 1) -> bytes:
    """A PDF with this tree of pages, which has no table of places."""
    return (
        b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n"
        b"<</Type/Pages/Kids[%s]/Count %d>>\nendobj\n%s"
        % (kids, count, others)
        + b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF"
    )


def doubling() -> bytes:
    """Thirty levels of pages, each twice the next: a thousand million pages."""
    level = b"%d 0 obj\n<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 2>>\nendobj\n"
    return b"".join(level % (number, number + 1, number + 1) for number in range(3, 33))


PAGE = b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: inflated("/Filter/FlateDecode", gigabytes()), "Limit reached while decompressing"),
        (
            lambda: inflated("/Filter[/FlateDecode/FlateDecode]", zlib.compress(gigabytes(), 9)),
            "Limit reached while decompressing",
        ),
        (lambda: b"%PDF-1.4\n1 0 obj\n" + b"[" * 1_000_000, "not a PDF that can be read"),
        (lambda: b"%PDF-1.4\n1 0 obj\n" + b"<</A " * 100_000, "not a PDF that can be read"),
        (lambda: b"%PDF-1.4\n1 0 obj\n" + b"(" * 5_000_000, "not a PDF that can be read"),
        (lambda: pages(b"2 0 R 2 0 R"), "not a PDF that can be read"),
        (lambda: pages(b"3 0 R", doubling()), "not a PDF that can be read"),
        (lambda: pages(b"3 0 R " * 100_000, PAGE, 100_000), "more than 2,000 pages"),
        (lambda: pages(b"3 0 R " * 100_000, PAGE, 1), "more than 2,000 pages"),
        (lambda: make_pdf([[]], content=b"q " * 10_000_000, compressed=True), "maximum number of"),
    ],
    ids=[
        *("flate", "flate-twice", "arrays", "dictionaries", "parentheses", "loop", "doubling"),
        *("pages", "pages-denied", "operators"),
    ],
)
def test_pdf(tmp_path: Path, make: Callable[[], bytes], reason: str) -> None:
    """One that unpacks to gigabytes, nests without end, or has pages without number."""
    documents, [problem] = indexed(tmp_path, "bomb.pdf", make())
    assert documents == {}
    assert reason in problem


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<div>" * 99_000 + RAIN, "no article text found"),
        ("<div>" * 110_000 + RAIN, "more than 100,000 tags"),
        ("<p>" + "a" * 9_900_000, "no article text found"),
        ("<p>" + "&amp;" * 1_900_000, "no article text found"),
        (f"<p {' '.join(f'a{number}=b' for number in range(100_000))}>{RAIN}", "1,000 attributes"),
        (f"<p {' '.join(f'a{number}' for number in range(100_000))}>{RAIN}", "1,000 attributes"),
        ("<p x='>'" + "".join(f'a{number}="<b>"' for number in range(40_000)) + ">", "attributes"),
        ("<p x=a'b" + "".join(f" {number}" for number in range(40_000)) + "' y>", "attributes"),
    ],
    ids=["deep", "deeper", "line", "entities", "values", "names", "quoted", "unquoted"],
)
def test_page(tmp_path: Path, page: str, reason: str) -> None:
    """One of tags, attributes or entities without number, or of one line."""
    documents, [problem] = indexed(tmp_path, "bomb.html", page)
    assert documents == {}
    assert reason in problem


def test_entities_that_grow(tmp_path: Path) -> None:
    """Those that a page defines itself are not taken from it."""
    names = "abcdefghij"
    grown = "".join(f'<!ENTITY {one} "{f"&{other};" * 10}">' for other, one in pairwise(names))
    page = f'<!DOCTYPE html [<!ENTITY a "ha">{grown}]><p>{RAIN} {RAIN} &j;</p>'
    documents, _ = indexed(tmp_path, "bomb.html", page)
    assert sum(documents.values()) < 1000


def test_many_attributes_of_a_script_are_none(tmp_path: Path) -> None:
    """What only looks like a tag, in a script or a comment, does not count."""
    words = " ".join(f"a{number}" for number in range(5000))
    body = "".join(f"<p>{RAIN} The council of {name} met and sat long.</p>" for name in "ABC")
    head = f"<html><head><script>if (a<b {words}</script></head>"
    page = f"{head}<body><!-- <p {words} --><article>{body}</article></body></html>"
    documents, problems = indexed(tmp_path, "page.html", page)
    assert list(documents) == ["page"]
    assert problems == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[" * 5_000_000, "nested too deeply"),
        ('{"text":' * 1_200_000, "nested too deeply"),
        ('{"text":' + "9" * 9_000_000 + "}", "not JSON"),
        ('{"id":' + "9" * 5000 + ',"text":"It hailed."}', "not JSON"),
        ('{"text":"' + "x" * 10_000_000 + '"}', "longer than 10,000,000 bytes"),
    ],
    ids=["arrays", "objects", "number", "id", "long"],
)
def test_line(tmp_path: Path, line: str, reason: str) -> None:
    """Of a .jsonl file; the lines around it are read."""
    good = json.dumps({"id": "snow", "text": "It snowed."})
    documents, [problem] = indexed(tmp_path, "bomb.jsonl", f"{line}\n{good}\n")
    assert documents == {"snow": 10}
    assert problem.startswith("bomb.jsonl:1: ")
    assert reason in problem


def test_lines_without_number(tmp_path: Path) -> None:
    """A file of which nothing is an article is given up; of others the bad lines are counted."""
    _, problems = indexed(tmp_path, "bomb.jsonl", "{}\n" * 3_000_000)
    assert len(problems) == 101
    assert problems[-1] == ("bomb.jsonl: none of its first 1,000 lines is an article; correct them")
    _, problems = indexed(tmp_path, "bomb.jsonl", '{"text": "It snowed."}\n' + "{}\n" * 5000)
    assert len(problems) == 101
    assert problems[-1] == "bomb.jsonl: 4,900 more lines like these; correct them"


@pytest.mark.parametrize(
    "metadata",
    [
        "a = " + "[" * 90_000,
        "x = " + "{a=" * 30_000,
        "a." * 45_000 + "a = 1",
        "date = " + "9" * 90_000,
        "".join(f"a{number} = 1\n" for number in range(9000)),
        "title = 'x'\n" * 1_000_000,
    ],
    ids=["arrays", "tables", "keys", "number", "fields", "size"],
)
def test_metadata(tmp_path: Path, metadata: str) -> None:
    """Of an article, which is left out with it."""
    write(tmp_path, {"bomb.toml": metadata})
    documents, [problem] = indexed(tmp_path, "bomb.txt", RAIN.replace("Monday", "Friday"))
    assert documents == {}
    assert problem.startswith("bomb.toml: ")
    assert len(problem) < 250


def test_front_matter_with_aliases(tmp_path: Path) -> None:
    """It is not YAML that is read, so nothing in it grows."""
    aliases = "".join(f"{one}: &{one} [*{other},*{other}]\n" for other, one in pairwise("abcdefgh"))
    documents, problems = indexed(
        tmp_path, "bomb.md", f"---\na: &a [x, x]\n{aliases}---\nIt snowed."
    )
    assert list(documents) == ["bomb"]
    assert problems == []


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "pdf", "jsonl"])
def test_packed(tmp_path: Path, suffix: str) -> None:
    """An archive by another name is not unpacked, and what it is is said."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 50_000_000)
    _, [problem] = indexed(tmp_path, f"bomb.{suffix}", packed.getvalue())
    assert "a ZIP archive, or a document of Word or another office program, not an" in problem
    _, [problem] = indexed(tmp_path, f"bomb.{suffix}", gzip.compress(b"\0" * 50_000_000))
    assert "a gzip archive, not an article; save the text in it as .txt" in problem


@pytest.mark.parametrize(
    "text",
    [
        RAIN + '"' * 200_000,
        RAIN + "“" * 200_000,
        "a“" * 1_000_000,
        "word " * 1_900_000,
        "x" * 9_900_000,
        "他" * 3_000_000,
        "e" + "\u0301" * 4_000_000,
        "“It rained,” said Ada Quill, " * 300_000,
    ],
    ids=["quotes", "curly", "quoted", "words", "letters", "chinese", "accents", "said"],
)
def test_sentence_without_end(tmp_path: Path, text: str) -> None:
    """It is cut into pieces that the networks can bear, of which none is lost."""
    documents, problems = indexed(tmp_path, "bomb.txt", text)
    assert documents == {"bomb": len(text)}
    assert problems == []


def test_paragraphs_without_number(tmp_path: Path) -> None:
    """Such an article would take hours to index."""
    _, [problem] = indexed(tmp_path, "bomb.txt", "a.\n\n" * 1_000_000)
    assert problem == "bomb.txt: more than 50,000 paragraphs; split it into articles"


@pytest.mark.parametrize(
    "rules", ["*" * 90 + "\x04*", "*a*a*a*a*a*a*a*b", "a*a*a*a*b", "**/" * 13, "[z-a]"]
)
def test_rules_that_take_long(tmp_path: Path, rules: str) -> None:
    """What ignoring a long name would take hours for is refused with its folder, or is quick."""
    write(tmp_path, {f"in/{'a' * 240}.txt": RAIN, "in/.rustqaignore": rules})
    documents, problems = indexed(tmp_path, "snow.txt", "It snowed.")
    assert "snow" in documents
    assert all(problem.startswith("in/.rustqaignore: ") for problem in problems)
