"""Finding files: what is looked into, what is left out, and what is reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rustqa.errors import CorpusError
from rustqa.sources.files import Problem, find_files
from sources_fixtures import read_all, write


def _names(source: Path) -> list[str]:
    files, problems = find_files(source)
    assert problems == []
    return [file.name for file in files]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Folders below are searched; other files, hidden ones and metadata are not articles."""
    names = ["b/two.md", "a.txt", "C.TXT", ".hidden.txt", "notes.json", "a.toml", "p.pdf", "w.htm"]
    write(tmp_path, dict.fromkeys(names, "It rained."))
    assert _names(tmp_path) == ["C.TXT", "a.txt", "b/two.md", "p.pdf", "w.htm"]
    [_, a, two, *_] = find_files(tmp_path)[0]
    assert (a.path, a.metadata) == (tmp_path / "a.txt", tmp_path / "a.toml")
    assert (two.path, two.metadata) == (tmp_path / "b" / "two.md", None)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    """That is no error here: whoever asked may know why."""
    assert find_files(tmp_path) == ([], [])


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    """It is called by its own name, and has its metadata beside it."""
    write(tmp_path, {"one.txt": "It rained.", "one.toml": "", "two.txt": "It snowed."})
    [file] = find_files(tmp_path / "one.txt")[0]
    assert file == (tmp_path / "one.txt", "one.txt", tmp_path / "one.toml")
    assert find_files(tmp_path / "two.txt")[0][0].metadata is None


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A mistyped folder is not an empty one."""
    write(tmp_path, {"a.txt": "It rained."})
    for path in (tmp_path / "nowhere", tmp_path / "a.txt" / "b", tmp_path / "a\0b"):
        with pytest.raises(CorpusError, match="no such file or folder; name a folder of articles"):
            find_files(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The error says which kinds are read."""
    write(tmp_path, {"article.docx": b"PK"})
    with pytest.raises(CorpusError, match=r"docx: not an article; give a \.txt, \.md.* or \.jsonl"):
        find_files(tmp_path / "article.docx")


def test_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    """What lies in a folder such as .git is nobody's article."""
    write(tmp_path, {".git/a.txt": "It rained.", "news/a.txt": "It rained."})
    assert _names(tmp_path) == ["news/a.txt"]


def test_odd_names_are_found_and_shown_in_one_line(tmp_path: Path) -> None:
    """A name that cannot be shown is shown as far as it can be, and its file is opened."""
    names = [b"a\nb.txt", b"\xff.txt", "Łódź \N{SLICE OF PIZZA}.txt".encode()]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"It rained.")
    assert _names(tmp_path) == ["%FF.txt", "a%0Ab.txt", "Łódź \N{SLICE OF PIZZA}.txt"]
    found = read_all(tmp_path)
    assert [not isinstance(item, Problem) and item.id for item in found] == [
        *("ff", "a-0ab", "łódź")
    ]


def test_names_of_different_bytes_are_shown_differently(tmp_path: Path) -> None:
    """So that the files of an index are told apart."""
    for name in (b"a\xff.txt", b"a\xfe.txt"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"It rained.")
    assert _names(tmp_path) == ["a%FE.txt", "a%FF.txt"]


def test_an_index_is_not_made_of_articles(tmp_path: Path) -> None:
    """Though it may lie among them, and holds files of texts."""
    index = dict.fromkeys(["manifest.json", "vectors.faiss", "texts.txt", "documents.jsonl"], "x")
    write(tmp_path, {"a.txt": "It rained.", **{f"index/{name}": "x" for name in index}})
    assert _names(tmp_path) == ["a.txt"]


def test_rules_of_an_ignore_file_hold_for_its_folder(tmp_path: Path) -> None:
    """Gitignore's syntax: folders, patterns, exceptions; inner files have the last word."""
    rules = {
        ".rustqaignore": "# drafts\ndrafts/\n*.md\n/top.txt\n!kept.md\n",
        "in/.rustqaignore": "\ufeffb.*\r\n!c.md\r\n",
    }
    names = ["drafts/a.txt", "in/drafts/a.txt", "a.md", "kept.md", "top.txt", "in/top.txt", "b.txt"]
    write(tmp_path, rules | dict.fromkeys([*names, "in/b.txt", "in/c.md", "in/d.md"], "It rained."))
    assert _names(tmp_path) == ["b.txt", "in/c.md", "in/top.txt", "kept.md"]


@pytest.mark.parametrize("rules", [b"\xff", b"a\n!\n", b"#" * 1_000_001])
def test_a_folder_whose_rules_cannot_be_read_is_left_out(tmp_path: Path, rules: bytes) -> None:
    """Nothing is read that was perhaps to be left out."""
    write(tmp_path, {"a.txt": "It rained.", "b/.rustqaignore": rules, "b/b.txt": "It rained."})
    files, [problem] = find_files(tmp_path)
    assert [file.name for file in files] == ["a.txt"]
    assert problem.name == "b/.rustqaignore"
    assert problem.reason.endswith("(its folder is left out until then)")


def test_links_are_followed_inside_the_folder_alone(tmp_path: Path) -> None:
    """A link out is reported, to a file, a folder, metadata or rules; nothing is read by it."""
    outside = write(tmp_path / "outside", {"a.txt": "Secret.", "a.toml": "", "rules": "*"})
    source = write(tmp_path / "source", {"a.txt": "It rained.", ".store/b.txt": "It snowed."})
    for name, target in {
        "within.txt": source / "a.txt",
        "store": source / ".store",
        "file.txt": outside / "a.txt",
        "folder": outside,
        "a.toml": outside / "a.toml",
        "nowhere.txt": source / "gone",
        "other.json": outside / "rules",
        "x.txt": Path("/etc/../etc/passwd"),
    }.items():
        (source / name).symlink_to(target)
    files, problems = find_files(source)
    assert [(file.name, file.metadata) for file in files] == [
        *(("a.txt", None), ("store/b.txt", None), ("within.txt", None))
    ]
    out = "a link out of the folder; put a copy of its target there instead"
    assert problems == [
        ("a.toml", "not a file in the folder; put one there"),
        ("file.txt", out),
        ("folder", out),
        ("nowhere.txt", "a link that leads nowhere; remove it or mend it"),
        ("x.txt", out),
    ]


def test_a_folder_beside_the_source_is_not_inside_it(tmp_path: Path) -> None:
    """Though its name starts with the source's name."""
    write(tmp_path / "news-old", {"a.txt": "It rained."})
    source = write(tmp_path / "news", {"a.txt": "It rained."})
    (source / "old").symlink_to(tmp_path / "news-old")
    assert [problem.name for problem in find_files(source)[1]] == ["old"]


def test_links_in_circles_end(tmp_path: Path) -> None:
    """Each folder is read once, by its own name where it has one."""
    write(tmp_path, {"a/b/one.txt": "It rained.", "c/two.txt": "It rained."})
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "across").symlink_to(tmp_path / "c")
    (tmp_path / "c" / "across").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    files, [problem] = find_files(tmp_path)
    assert [file.name for file in files] == ["a/b/one.txt", "c/two.txt"]
    assert problem.name == "self.txt"


def test_a_source_may_itself_be_a_link(tmp_path: Path) -> None:
    """Whoever names it means its target."""
    write(tmp_path / "real", {"a.txt": "It rained."})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    [file] = find_files(tmp_path / "link")[0]
    assert file.path == tmp_path / "link" / "a.txt"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_pipes_are_not_opened(tmp_path: Path) -> None:
    """Opening one would wait for ever; as a source it is refused."""
    os.mkfifo(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "other")
    assert find_files(tmp_path) == (
        [],
        [("a.txt", "a pipe or a device, not a file; remove it")],
    )
    with pytest.raises(CorpusError, match="not an article"):
        find_files(tmp_path / "a.txt")


def test_a_folder_that_cannot_be_looked_into_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read all the same."""
    write(tmp_path, {"a.txt": "It rained.", "locked/b.txt": "It rained."})
    scan = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    files, problems = find_files(tmp_path)
    assert [file.name for file in files] == ["a.txt"]
    assert problems == [("locked/", "Permission denied; make it readable and index again")]
