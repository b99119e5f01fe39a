"""Reading files: whatever they hold or do, there is an article or a problem and no failure."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import CORPUS
from rustqa.errors import CorpusError
from rustqa.sources import contents
from rustqa.sources.files import SUFFIXES, Problem, SourceFile, find_files
from rustqa.sources.reading import read_corpus, read_file
from rustqa.types import Document
from sources_fixtures import make_pdf, read_all, write

PAGE = "<html><body><article><p>It rained all day in the valley.</p></article></body></html>"
STARTS = {
    ".html": PAGE.encode(),
    ".htm": PAGE.encode(),
    ".pdf": make_pdf([[(72, 700, 12, "It rained all day in the valley.")]]),
    ".jsonl": b'{"text": "It rained."}\n',
}


@settings(max_examples=150)
@given(st.data(), st.sampled_from(SUFFIXES))
def test_anything_is_read_or_reported(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    """Random bytes, or bytes put into a good file; blocks lie inside the text, in order."""
    start = STARTS.get(suffix, b"---\ntitle: A\n---\n")
    noise = data.draw(st.binary(max_size=300))
    place = data.draw(st.integers(0, len(start)))
    cut = data.draw(st.integers(0, 40))
    whole = data.draw(st.booleans())
    file = tmp_path_factory.getbasetemp() / f"anything{suffix}"
    file.write_bytes(noise if whole else start[:place] + noise + start[place + cut :])
    for found in read_file(SourceFile(file, file.name, None)):
        assert isinstance(found, Document | Problem)
        if isinstance(found, Problem):
            assert found.name.startswith(file.name)
            assert found.reason
            assert "\n" not in found.reason
        else:
            found.text.encode()
            ends = [place for block in found.blocks for place in (block.start, block.end)]
            assert ends == sorted(set(ends))
            assert 0 <= ends[0] < ends[-1] <= len(found.text)


def test_a_file_that_vanished_is_a_problem(tmp_path: Path) -> None:
    """Of any kind: the others are read."""
    write(tmp_path, {f"a{suffix}": STARTS.get(suffix, b"It rained.") for suffix in SUFFIXES})
    files, _ = find_files(tmp_path)
    for file in files:
        file.path.unlink()
        assert list(read_file(file)) == [
            (file.name, "gone since the folder was listed; index again")
        ]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_a_file_that_grows_while_it_is_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """What was read of it may be half of what it says."""
    [file] = find_files(write(tmp_path, {f"a{suffix}": STARTS.get(suffix, b"It rained.")}))[0]
    state = os.fstat

    def grow(number: int) -> os.stat_result:
        before = state(number)
        with open(file.path, "ab") as opened:
            opened.write(b"\n")
        return before

    monkeypatch.setattr(os, "fstat", grow)
    *_, last = read_file(file)
    assert last == (file.name, "changed while it was read; index again")


def test_a_file_that_cannot_be_opened_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, {"a.txt": "It rained."})
    monkeypatch.setattr(os, "open", refuse)
    assert read_all(tmp_path) == [("a.txt", "Permission denied; make it readable and index again")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    """Though it came there after the folder was listed."""
    [file] = find_files(write(tmp_path, {"a.txt": "It rained."}))[0]
    file.path.unlink()
    os.mkfifo(file.path)
    found: list[Document | Problem] = []
    thread = threading.Thread(target=lambda: found.extend(read_file(file)), daemon=True)
    thread.start()
    thread.join(10)
    assert found == [("a.txt", "a pipe or a device, not a file; remove it")]


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An article is not that long."""
    monkeypatch.setattr(contents, "MAX_BYTES", 20)
    write(tmp_path, {"a.txt": "It rained all day and all night.", "b.html": PAGE})
    assert read_all(tmp_path) == [
        (name, "larger than 20 bytes; split it into articles") for name in ("a.txt", "b.html")
    ]


def test_metadata_goes_with_every_kind(tmp_path: Path) -> None:
    """The .toml of the same name counts, whatever the article's kind."""
    for suffix in SUFFIXES:
        start = STARTS.get(suffix, b"It rained.")
        folder = tmp_path / suffix[1:]
        write(folder, {f"a{suffix}": start, "a.toml": 'source = "Saltby News"'})
        assert [document.source for document in read_corpus(folder)] == ["Saltby News"]


def test_a_corpus_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """Files of several kinds stand side by side."""
    write(tmp_path, {"b.txt": "It rained.", "a.jsonl": STARTS[".jsonl"], "c/d.html": PAGE})
    first, *others = [document.id for document in read_corpus(tmp_path)]
    assert first.startswith("a-")
    assert others == ["b", "c-d"]


@pytest.mark.parametrize(
    ("files", "named", "message"),
    [
        ({"a.txt": b"\xff"}, "a.txt", "not UTF-8"),
        ({"a.txt": b"It rained.", "a.toml": b"title = 1"}, "a.toml", "'title' must be"),
        ({"a b.txt": b"It rained.", "a-b.md": b"It snowed."}, "a-b.md", "the id 'a-b'; rename"),
        ({"a.jsonl": b"{}"}, "a.jsonl:1", "holds no 'text'"),
        ({"notes.json": b"{}"}, "", "no articles there; put .txt, .md"),
    ],
)
def test_a_corpus_that_cannot_be_read_is_refused(
    tmp_path: Path, files: dict[str, bytes], named: str, message: str
) -> None:
    """The error names the first file that is at fault."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(write(tmp_path, files))
    assert str(caught.value).startswith(f"{tmp_path / named}: ")
    assert message in str(caught.value)


def test_the_shipped_corpus_is_read() -> None:
    """With its metadata."""
    [document] = read_corpus(CORPUS)
    assert (document.id, document.date) == ("rust-case-dismissed", "2024-07")
    assert len(document.questions) == 5
