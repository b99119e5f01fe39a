"""Corpus: exact text, blocks that tile it, ids and metadata, and errors that say what to mend."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes import texts
from rustqa import corpus
from rustqa.corpus import article_files, document_id, find_blocks, make_document, read_corpus
from rustqa.errors import CorpusError

BOM = b"\xef\xbb\xbf"


@given(texts())
@example("\ufeff\n\n\ufeff")
@example("one.\r\rtwo.\r\n\r\nthree.\u2028\u2028four.")
def test_blocks_tile_the_text(text: str) -> None:
    """Every character but white space lies in exactly one block; blocks are in order."""
    blocks = list(find_blocks(text))
    held = Counter(place for block in blocks for place in range(block.start, block.end))
    assert all(held[place] == 1 for place, char in enumerate(text) if not char.isspace())
    ends = [place for block in blocks for place in (block.start, block.end)]
    assert ends == sorted(set(ends))
    for block in blocks:
        piece = text[block.start : block.end]
        assert piece == piece.strip()


@given(texts())
def test_paragraphs_are_numbered_from_one(text: str) -> None:
    """Page furniture is not counted and leaves no gap."""
    numbers = [block.paragraph for block in find_blocks(text) if block.paragraph is not None]
    assert numbers == list(range(1, len(numbers) + 1))


@given(texts(), st.booleans())
def test_the_file_is_read_as_it_stands(
    tmp_path_factory: pytest.TempPathFactory, text: str, signed: bool
) -> None:
    """Line ends and odd characters are kept; only a byte order mark at the start is no text."""
    folder = tmp_path_factory.getbasetemp() / "as-it-stands"
    folder.mkdir(exist_ok=True)
    data = BOM * signed + b"It rained.\r\n\r\n" + text.encode()
    (folder / "article.txt").write_bytes(data)
    [document] = read_corpus(folder)
    assert document.text == data.decode("utf-8-sig")
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert document.bytes == len(data)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_blocks_are_parted_by_blank_lines_of_any_kind(end: str) -> None:
    """A line end inside a block does not part it; a line of spaces does."""
    text = f"It rained{end}all day.{end} \t{end}It snowed.{end}"
    assert [text[b.start : b.end] for b in find_blocks(text)] == [
        f"It rained{end}all day.",
        "It snowed.",
    ]


@pytest.mark.parametrize("around", ["", "\n", "\n\n\n"])
def test_without_blank_lines_each_line_is_a_paragraph(around: str) -> None:
    """Blank lines before and behind the text part nothing and do not count."""
    text = f"{around}It rained.\nIt snowed.\nIt froze.\n{around}"
    assert [text[b.start : b.end] for b in find_blocks(text)] == [
        "It rained.",
        "It snowed.",
        "It froze.",
    ]


def test_articles_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Folders below are searched; other files, hidden ones and metadata are not articles."""
    (tmp_path / "b").mkdir()
    for name in ("b/two.md", "a.txt", "C.TXT", ".hidden.txt", "notes.json", "a.toml"):
        (tmp_path / name).write_text("" if name == "a.toml" else "It rained.")
    assert [document.id for document in read_corpus(tmp_path)] == ["c", "a", "b-two"]


def test_a_single_file_is_a_corpus(tmp_path: Path) -> None:
    """A path to one article reads that one alone."""
    (tmp_path / "one.txt").write_text("It rained.")
    (tmp_path / "two.txt").write_text("It snowed.")
    assert [document.id for document in read_corpus(tmp_path / "two.txt")] == ["two"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2024/07 Rust: Case dismissed!", "2024-07-rust-case-dismissed"),
        ("Łódź_ÜBER", "łódź-über"),
        ("???", "article"),
    ],
)
def test_ids_are_fit_for_a_url(name: str, expected: str) -> None:
    """Letters and digits of any script stay; all else becomes hyphens."""
    assert document_id(name) == expected


@given(st.text())
def test_making_an_id_twice_changes_nothing(name: str) -> None:
    """An id is its own id, is never empty, and holds no separator of a path or query."""
    made = document_id(name)
    assert made
    assert document_id(made) == made
    assert not set(made) & set("/?#&% \n")


def test_metadata_stands_beside_the_article(tmp_path: Path) -> None:
    """The .toml of the same name gives title, source and questions."""
    (tmp_path / "rain.txt").write_text("# A heading\n\nIt rained.")
    assert read_corpus(tmp_path)[0].title == "A heading"
    (tmp_path / "rain.toml").write_text(
        'title = "Rain"\nurl = "https://x.test"\nquestions = ["Q?"]'
    )
    [document] = read_corpus(tmp_path)
    assert (document.title, document.url, document.questions) == (
        "Rain",
        "https://x.test",
        ("Q?",),
    )


def test_an_article_that_starts_with_prose_is_called_by_its_id() -> None:
    """Prose is no title."""
    assert make_document("rain", "It rained.\n\nIt snowed.").title == "rain"


@pytest.mark.parametrize(
    ("files", "named", "message"),
    [
        ({"a.txt": b"It rained\xff."}, "a.txt", "not UTF-8 at byte 9; save it as UTF-8"),
        ({"a.txt": "It rained.".encode("utf-16")}, "a.txt", "not UTF-8 at byte 0"),
        ({"notes.json": b"{}"}, "", "no articles there; put .txt or .md files"),
        ({"a.txt": b""}, "a.txt", "holds no text; remove it or write it anew"),
        ({"a.txt": BOM + b" \r\n\t"}, "a.txt", "holds no text"),
        ({"a.txt": b"# Only a heading"}, "a.txt", "holds no text"),
        ({"a.txt": b"It rained.", "a.toml": b"title = Rain"}, "a.toml", "not valid TOML"),
        ({"a.txt": b"It rained.", "a.toml": b'title = "\xff"'}, "a.toml", "not valid TOML"),
        (
            {"a.txt": b"It rained.", "a.toml": b"title = 1"},
            "a.toml",
            "'title' must be text in quotation marks",
        ),
        (
            {"a.txt": b"It rained.", "a.toml": b'author = "A"'},
            "a.toml",
            "'author' must be one of title",
        ),
        ({"a.txt": b"It rained.", "a.toml": b'questions = "Q"'}, "a.toml", "'questions'"),
        ({"a.txt": b"It rained.", "a.toml": b"questions = [1]"}, "a.toml", "'questions'"),
        ({"a b.txt": b"It rained.", "a-b.md": b"It snowed."}, "a-b.md", "the id 'a-b'; rename"),
        ({"a.txt": b"It rained all day and all night."}, "a.txt", "larger than 20 bytes; split it"),
    ],
)
def test_errors_name_the_file_and_the_mend(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, bytes],
    named: str,
    message: str,
) -> None:
    """Whoever reads the error knows which file to open and what to do to it."""
    if "larger" in message:
        monkeypatch.setattr(corpus, "MAX_BYTES", 20)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / named}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A mistyped folder is not an empty one."""
    with pytest.raises(CorpusError, match="nowhere: no such file or folder"):
        article_files(tmp_path / "nowhere")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The error says which kinds are read."""
    (tmp_path / "article.docx").write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"article\.docx: not an article; give a \.txt or \.md"):
        read_corpus(tmp_path / "article.docx")


def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.txt").write_text("It rained.")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(CorpusError, match=r"a\.txt: Permission denied; make it readable"):
        read_corpus(tmp_path)


def test_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    """What lies in a folder such as .git is nobody's article."""
    for folder in (".git", "news"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("It rained.")
    assert article_files(tmp_path) == [tmp_path / "news" / "a.txt"]


def test_a_date_may_be_written_as_one(tmp_path: Path) -> None:
    """TOML's own dates are taken, and an empty title is none."""
    (tmp_path / "a.txt").write_text("It rained.")
    (tmp_path / "a.toml").write_text('date = 2024-07-12\ntitle = ""')
    (document,) = read_corpus(tmp_path)
    assert (document.date, document.title) == ("2024-07-12", "a")
