"""`rustqa index`: what it does for each word, what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexing_fixtures import use_fake_encoder
from rustqa.cli import main
from rustqa.store.folder import load_store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder of two articles, one with a title and a date."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "rain.txt").write_text("It rained on Monday.")
    (folder / "rain.toml").write_text('title = "Rain at last"\ndate = 2024-07-12\n')
    (folder / "snow.txt").write_text("It snowed.")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `rustqa index` with some words on an index of its own; gives code, output, errors."""
    use_fake_encoder(monkeypatch)

    def call(*words: str | Path) -> tuple[int, str, str]:
        code = main(["index", *map(str, words), "--index", str(tmp_path / "index")])
        return code, *capsys.readouterr()

    return call


def test_an_index_is_built_and_brought_up_to_date(run: Run, articles: Path) -> None:
    """It says how many articles were read, taken over and gone; later without a path."""
    code, out, _ = run(articles)
    assert code == 0
    assert "2 article(s), 2 passages, index " in out
    assert "(2 read, 0 as before, 0 gone)" in out
    (articles / "snow.txt").unlink()
    (articles / "hail.txt").write_text("It hailed.")
    assert "(1 read, 1 as before, 1 gone)" in run()[1]
    assert "(2 read, 0 as before, 0 gone)" in run("--fresh")[1]


def test_bad_files_are_named_at_the_end(run: Run, articles: Path) -> None:
    """With the reason, and an exit code that tells a script of them; the rest is indexed."""
    (articles / "bad.txt").write_bytes(b"\xff")
    (articles / "copy.txt").write_text("It snowed.")
    code, out, err = run(articles)
    assert code == 1
    assert "rustqa: 1 could not be used:\n  bad.txt: not UTF-8 at byte 0" in err
    assert "1 repeat other articles:\n  snow.txt: the same text as the article 'copy'" in err
    assert "2 article(s)" in out
    code, _, err = run()
    assert (code, err) == (
        1,
        "rustqa: 1 could not be used before either; see: rustqa index check\n",
    )


def test_paths_may_stand_behind_options(run: Run, articles: Path) -> None:
    """As with other programs."""
    assert "2 article(s)" in run("--fresh", articles)[1]
    with pytest.raises(SystemExit):
        run(articles, "--bad")


def test_the_index_that_comes_with_rustqa_is_not_changed_by_mistake(
    articles: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only when it is named."""
    monkeypatch.delenv("RUSTQA_INDEX", raising=False)
    assert main(["index", str(articles)]) == 2
    assert (
        "name one of your own, as in: rustqa index my-articles/ --index" in capsys.readouterr().err
    )


def test_many_bad_files_are_counted(run: Run, articles: Path) -> None:
    """A screenful is named."""
    for number in range(60):
        (articles / f"bad-{number}.txt").write_bytes(b"\xff")
    err = run(articles)[2]
    assert "60 could not be used" in err
    assert "and 10 more" in err
    assert err.count("UTF-8 at byte") == 50


def test_sources_are_added_and_removed(run: Run, articles: Path, tmp_path: Path) -> None:
    """By path, and single articles by id."""
    run(articles)
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "fog", "text": "There was fog."}\n')
    assert "3 article(s)" in run("add", more)[1]
    assert "2 article(s)" in run("remove", "snow")[1]
    assert "1 article(s)" in run("remove", more)[1]
    assert "2 article(s)" in run("add", articles / "snow.txt")[1]


def test_articles_are_listed(run: Run, articles: Path) -> None:
    """The newest first, with date, id and title; or as JSON."""
    run(articles)
    code, out, _ = run("list")
    assert (code, out.splitlines()) == (
        0,
        ["2024-07-12  rain  Rain at last", "            snow  snow"],
    )
    rows = json.loads(run("list", "--json")[1])
    assert [row["id"] for row in rows] == ["rain", "snow"]
    assert rows[0]["date"] == "2024-07-12"


def test_a_title_cannot_drive_the_terminal(run: Run, articles: Path) -> None:
    """Nor a date: what is listed of an article stays on its line, its controls spelt out."""
    title, date = r"Rain\u001b[2J\nat\u202e last", r"soon\u0007\n"
    (articles / "rain.toml").write_text(f'title = "{title}"\ndate = "{date}"\n')
    run(articles)
    lines = run("list")[1].splitlines()
    assert len(lines) == 2
    assert r"soon\x07    rain  Rain\x1b[2J at\u202e last" in lines


def test_a_check_tells_a_script(run: Run, articles: Path) -> None:
    """By its exit code, and a person by lines."""
    run(articles)
    code, out, _ = run("check")
    assert code == 0
    assert "whole, and as its articles are" in out
    (articles / "snow.txt").write_text("It snowed a lot.")
    assert run("check")[:2] == (1, "changed: snow.txt\n")
    assert json.loads(run("check", "--json")[1])["changed"] == ["snow.txt"]


def test_a_damaged_index_is_found_by_a_check(run: Run, articles: Path, tmp_path: Path) -> None:
    """It names the file and how to mend it, and that mends it."""
    run(articles)
    file = tmp_path / "index" / "texts.txt"
    file.write_bytes(file.read_bytes()[:-1])
    code, _, err = run("check")
    assert code == 3
    assert "texts.txt is damaged; build it again: rustqa index" in err
    assert run(articles)[0] == 0
    assert run("check")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add"], "nothing is named; write: rustqa index add PATH"),
        (["remove"], "nothing is named; write: rustqa index remove ID|PATH"),
        (["list", "x"], "rustqa index list takes nothing more; leave 'x' out"),
        (["check", "x"], "rustqa index check takes nothing more; leave 'x' out"),
        (["nowhere"], "no such file or folder"),
        (["remove", "fog"], "no articles are known for this index; name them"),
        ([], "no articles are known for this index; name them"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: list[str], message: str) -> None:
    """In one line, and nothing is written."""
    code, out, err = run(*words)
    assert code in (2, 3)
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_a_folder_called_add_is_indexed(
    run: Run, articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is written as a path."""
    articles.rename(tmp_path / "add")
    monkeypatch.chdir(tmp_path)
    assert "2 article(s)" in run("./add")[1]
    assert list(load_store(tmp_path / "index").documents) == ["rain", "snow"]
