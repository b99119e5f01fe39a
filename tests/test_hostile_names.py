"""Names that lead elsewhere: of articles, of files, and in addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.asgi import request
from rustqa.corpus import document_id, make_document
from rustqa.settings import data_root
from rustqa.sources.files import Problem
from rustqa.types import Document
from sources_fixtures import read_all
from web_fixtures import FARM, farm, kept_up, make_pipeline, serve, town

ASIDE = "kept aside"
UP = [
    "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt",
    "%252e%252e%252fsecret.txt", "..\\secret.txt", "..%5csecret.txt", "%2e%2e%5csecret.txt",
    "....//secret.txt", "./../secret.txt", "style.css/../../secret.txt", "%c0%ae%c0%ae/secret.txt",
    "%uff0e%uff0e/secret.txt", "%ef%bc%8e%ef%bc%8e/secret.txt", "..;/secret.txt", "/../secret.txt",
    "%2fetc%2fpasswd", "//etc/passwd", "C:%5cWindows%5cwin.ini", "~root", "style.css%00.png",
    "%00", "style.css%0a", ".", "..", "con", "nul", "aux.txt", "%ff", "%ed%a0%80", "%", "*",
    "file:%2f%2f%2fetc%2fpasswd", "link.txt", "a" * 5000, "%e2%80%ae",
]  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The application over two articles, its files in a folder beside a secret one, with a link
    out of it."""
    root = tmp_path_factory.mktemp("data")
    for folder in ("templates", "static"):
        (root / "web" / folder).mkdir(parents=True)
        for file in (data_root() / "web" / folder).iterdir():
            (root / "web" / folder / file.name).write_bytes(file.read_bytes())
    (root / "web" / "secret.txt").write_text(ASIDE)
    (root / "web" / "static" / "link.txt").symlink_to(root / "web" / "secret.txt")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("rustqa.api", "rustqa.web"):
            patch.setattr(f"{module}.data_root", lambda: root)
        with serve(make_pipeline(town(), farm())) as client:
            yield client.app


@pytest.mark.parametrize("name", UP)
@pytest.mark.parametrize(
    "target",
    [
        *("/static/{}", "/static/../static/{}", "/articles/{}", "/{}", "/?article={}"),
        *("/?document={}", "/articles?document={}", "/articles?document=town&document={}"),
    ],
)
def test_addresses_lead_nowhere_else(app: Any, target: str, name: str) -> None:
    """Whatever stands in one: only articles by their ids and files of the page's folder are there,
    and what is not is said in a line."""
    for accepted in ("text/html", "application/json"):
        response = request(app, "GET", target.format(name), [("Accept", accepted)])
        assert response.status in {200, 404, 405, 422}, response
        assert ASIDE.encode() not in response.body
        assert b"root:" not in response.body
        assert "location" not in response.headers
        if response.status == 200:
            assert name in {".", "", "/", "style.css%00.png"} or "static" not in target
        assert b"Traceback" not in response.body


@pytest.mark.parametrize("name", UP)
@pytest.mark.parametrize("route", ["/ask", "/search"])
def test_ids_in_a_scope_lead_nowhere(app: Any, route: str, name: str) -> None:
    """An id that is no article's is one, whatever it looks like."""
    field = "question" if route == "/ask" else "query"
    body = f'{{"{field}": "What did it cost in pounds?", "documents": ["{quote(name)}"]}}'
    response = request(app, "POST", route, [("Content-Type", "application/json")], body.encode())
    assert response.status == 404
    assert ASIDE.encode() not in response.body


ODD = [
    "-rf", "--help", "con", "nul.aux", "a b", " lead", "trail ", "a\nb", "a\tb",
    "a\\b", "a:b", "a%2fb", "%2e%2e", "\u202eevil", "\u200b", "é", "e\u0301", "ﬁ", "Ⅻ", "🎉",
    "'\"<b>",    "$(id)", "`id`", "a;b", "a|b", "#frag", "?q=1", "&amp;", "a" * 240, "\udcff\udc80",
    "\x01", "\x7f",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_files_with_odd_names(tmp_path: Path, name: str) -> None:
    """Each is an article with a plain id, by which it is found on the page."""
    try:
        (tmp_path / f"{name}.txt").write_text(FARM)
    except OSError:
        pytest.skip("this file system takes no such name")
    [found] = read_all(tmp_path)
    assert isinstance(found, Document)
    assert set(found.id) & set("/\\.%?#&<>\"'\x00\n ") == set()
    assert 0 < len(found.id) <= 200
    found.title.encode()
    with serve(make_pipeline(found)) as client:
        for accepted in ("text/html", "application/json"):
            address = f"/articles/{quote(found.id)}"
            assert request(client.app, "GET", address, [("Accept", accepted)]).status == 200


@pytest.mark.parametrize("name", ["..evil", "...", ".evil"])
def test_hidden_files_are_left_alone(tmp_path: Path, name: str) -> None:
    """A name that begins with a dot is no article's."""
    (tmp_path / f"{name}.txt").write_text(FARM)
    assert read_all(tmp_path) == []


def test_names_are_shown_in_a_line(tmp_path: Path) -> None:
    """A name turns nothing round in a report."""
    (tmp_path / "a\u202etxt.\x1b[2J.md").write_text("#")
    [problem] = read_all(tmp_path)
    assert isinstance(problem, Problem)
    assert problem.name == "a%202Etxt.%1B[2J.md"


def test_links_out_of_the_folder(tmp_path: Path) -> None:
    """Neither a file's, nor a folder's, nor a metadata file's is followed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret.txt").write_text(ASIDE)
    (tmp_path / "out" / "secret.toml").write_text(f'title = "{ASIDE}"')
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "rain.txt").write_text(FARM)
    os.symlink(tmp_path / "out" / "secret.txt", folder / "a.txt")
    os.symlink(tmp_path / "out", folder / "b")
    os.symlink(tmp_path / "out" / "secret.toml", folder / "rain.toml")
    found = read_all(folder)
    assert ASIDE not in str([item for item in found if isinstance(item, Document)])
    assert sum(isinstance(item, Problem) for item in found) == 3


@given(st.text())
def test_an_id_is_a_plain_name(name: str) -> None:
    """Of letters, digits and hyphens, whatever it is made of; made again it stays."""
    made = document_id(name)
    assert made
    assert all(char.isalnum() or char == "-" for char in made)
    assert document_id(made) == made


TITLES = [
    "../../etc/passwd", "..", "/", "\\..\\..\\x", "con", "a" * 300, ".", "~", "C:\\x", "🎉",
    "\u202e",    "%2e%2e%2f", "-rf /", "x.toml", "x.txt", "\u0130\u0131", "ﬁ ﬂ",
    "'; rm -rf *", "\u3164",
]  # fmt: skip


def test_titles_that_become_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An article that is added lies in the folder for such, by a plain name."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    before = {path for path in tmp_path.rglob("*") if path.suffix in {".txt", ".toml"}}
    with serve(pipeline, upkeep=upkeep) as client:
        for number, title in enumerate(TITLES):
            text = f"Number {number} came in. " + " ".join(f"word{number}{n}" for n in range(40))
            response = client.post("/articles", json={"title": title, "text": f"{text}."})
            assert response.status_code == 201, response.text
            assert client.get(response.headers["location"]).status_code == 200
    written = {path for path in tmp_path.rglob("*") if path.suffix in {".txt", ".toml"}} - before
    assert len(written) == 2 * len(TITLES)
    for path in written:
        assert path.parent == tmp_path / "added"
        assert len(path.name) < 100
        assert all(char.isalnum() or char == "-" for char in path.stem)


def test_confusable_questions_do_no_harm() -> None:
    """Letters of another script that look like the article's: an answer, or none."""
    pipeline = make_pipeline(make_document("town", "The town paid Baldwin nine pounds."))
    for question in (
        "Who paid B\u0430ldwin?",
        "\u0412\u0430ldwin",
        "p\u043eunds?",
        "ＢＡＬＤＷＩＮ?",
    ):
        assert pipeline.ask(question).status in {"answered", "no_answer"}
