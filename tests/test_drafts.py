"""Articles that people add: what is one, and how it is written into a folder."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.drafts import Draft, DraftFolder, article_id, checked
from rustqa.errors import AddingError, ArticleError, InputError
from rustqa.sources.reading import read_corpus

STORM = Draft("Storm fells oak", "A storm felled the oak.\n\nNobody was hurt.")


def nobody_has(_name: str) -> bool:
    """That no name is taken."""
    return False


def test_a_draft_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """Text and metadata come back whole, whatever characters they are of."""
    draft = Draft(
        'Storm "fells" \\ oak 🎉',
        "  \r\nA storm felled the oak.\r\n\r\nNobody was hurt.\u2028Really.\r\n ",
        " https://news.example/storm ",
        "2024-07",
        "O’Hara = [news]",
    )
    file = DraftFolder(tmp_path / "new" / "added").write(checked(draft), nobody_has)
    assert file.name == "storm-fells-oak.txt"
    [document] = read_corpus(file.parent)
    assert document.text == "A storm felled the oak.\n\nNobody was hurt.\nReally.\n"
    assert document.title == draft.title
    assert (document.url, document.date) == ("https://news.example/storm", "2024-07")
    assert document.source == draft.source
    assert {path.name for path in file.parent.iterdir()} == {file.name, "storm-fells-oak.toml"}


@given(st.text(min_size=1, max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_taken_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, title: str, text: str, source: str
) -> None:
    """With its very title and text, in a file inside the folder."""
    try:
        draft = checked(Draft(title, f"It rained. {text}", source=source))
    except ArticleError:
        return
    folder = tmp_path_factory.mktemp("added")
    file = DraftFolder(folder).write(draft, nobody_has)
    assert file.parent == folder
    [document] = read_corpus(folder)
    assert (document.title, document.text) == (draft.title, f"{draft.text}\n")
    assert (document.source or "") == draft.source
    assert document.id == article_id(file.with_suffix(""), [folder])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": " "}, "the article has no title; give it one"),
        ({"title": "x" * 301}, "the title has 301 characters; shorten it to 300"),
        ({"source": "x" * 201}, "the source has 201 characters; shorten it to 200"),
        ({"title": "a\x07b"}, r"the title holds the control character U\+0007; remove it"),
        ({"title": "a\nb"}, r"the title holds the control character U\+000A"),
        ({"text": "\x1b[2J It rained."}, r"the text holds the control character U\+001B"),
        ({"text": "It \ud83d rained."}, r"the text holds the control character U\+D83D"),
        ({"url": "javascript:alert(1)"}, "the url is no web address; begin it with https://"),
        ({"url": "https://" + "x" * 2000}, "the url has 2,008 characters; shorten it"),
        ({"date": "last Friday"}, "the date is no date: 'last Friday'; write it as 2024-07-12"),
        ({"text": "\n \n"}, "the article has no text that can be asked; give it some"),
        ({"text": "Related: More on this"}, "the article has no text that can be asked"),
    ],
)
def test_what_is_no_article_is_refused(changes: dict[str, str], message: str) -> None:
    """In one line that says what to change."""
    with pytest.raises(ArticleError, match=message):
        checked(replace(STORM, **changes))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A name that is in the folder, as any kind of file, or taken elsewhere gets a number."""
    folder = DraftFolder(tmp_path)
    (tmp_path / "Storm-fells-oak.md").write_text("kept")
    (tmp_path / "storm-fells-oak-2.toml").write_text("kept")
    file = folder.write(STORM, lambda name: name == "storm-fells-oak-3")
    assert file.name == "storm-fells-oak-4.txt"
    assert folder.write(STORM, nobody_has).name == "storm-fells-oak-3.txt"
    assert (tmp_path / "Storm-fells-oak.md").read_text() == "kept"
    assert (tmp_path / "storm-fells-oak-2.toml").read_text() == "kept"


@pytest.mark.parametrize("title", ["../../etc/passwd", "/etc/passwd", "..", "a/b\\c", "💥", "con"])
def test_a_title_is_no_path(tmp_path: Path, title: str) -> None:
    """However it is written, the files lie in the folder."""
    folder = tmp_path / "added"
    file = DraftFolder(folder).write(replace(STORM, title=title), nobody_has)
    assert file.resolve().parent == folder.resolve()
    assert sorted(tmp_path.rglob("*.t*")) == sorted([file, file.with_suffix(".toml")])


def test_many_may_write_at_once(tmp_path: Path) -> None:
    """Each gets a name of its own."""
    folder = DraftFolder(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        files = list(threads.map(lambda _: folder.write(STORM, nobody_has), range(16)))
    assert len(set(files)) == 16
    assert all(file.read_text() == f"{STORM.text}\n" for file in files)


def test_what_was_written_is_taken_back(tmp_path: Path) -> None:
    """Without a trace, also where half of it is gone already."""
    folder = DraftFolder(tmp_path)
    file = folder.write(STORM, nobody_has)
    file.unlink()
    folder.remove(file)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says whom to tell."""
    folder = DraftFolder(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(AddingError, match=r"not be written \(No space left on device\); tell"):
        folder.write(STORM, nobody_has)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is refused at the start."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"articles cannot be added there \(.*\); name another"):
        DraftFolder(tmp_path / "file")


def test_an_id_is_that_of_the_folder_that_is_indexed(tmp_path: Path) -> None:
    """In a folder inside it, the name has both."""
    file = tmp_path / "news" / "added" / "storm"
    assert article_id(file, []) == article_id(file, [file.parent]) == "storm"
    assert article_id(file, [tmp_path / "other", tmp_path / "news"]) == "added-storm"
