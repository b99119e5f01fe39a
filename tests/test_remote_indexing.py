"""`rustqa index --store`, and the other commands over what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes import CORPUS, HARBOUR, ORCHARD, FakeEncoder, FakeReader
from indexing_fixtures import use_fake_encoder
from qdrant_servers import Node
from rustqa.cli import main
from rustqa.store.qdrant_replicas import missing_replicas
from store_contract import local_connection, served

STORE = "qdrant://memory/articles"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two articles, an empty Qdrant, and fakes for the encoder and the reader."""
    connection = local_connection()
    for module in ("rustqa.store.qdrant", "rustqa.remote_indexing"):
        monkeypatch.setattr(f"{module}.connect", lambda _address, _key: connection)
    monkeypatch.setattr("rustqa.remote_indexing.missing_replicas", lambda _connection: [])
    use_fake_encoder(monkeypatch)
    monkeypatch.setattr(
        "rustqa.encoder.open_question_encoder", lambda name, _cache: FakeEncoder(name)
    )
    monkeypatch.setattr("rustqa.reader.open_reader", lambda _folder: FakeReader())
    monkeypatch.setenv("RUSTQA_STORE", STORE)
    made = tmp_path / "articles"
    made.mkdir()
    (made / "harbour.txt").write_text(HARBOUR)
    (made / "orchard.txt").write_text(ORCHARD)
    return made


def _ids(capsys: pytest.CaptureFixture[str]) -> set[str]:
    capsys.readouterr()
    assert main(["index", "list", "--json"]) == 0
    return {row["id"] for row in json.loads(capsys.readouterr().out)}


def test_articles_are_indexed_and_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was put into the collection answers; the answer is verified against it."""
    assert main(["index", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{STORE}: 2 article(s), 5 passages, index ")
    assert "(2 read, 0 as before, 0 gone)" in shown
    assert main(["ask", "--json", "Who is the harbour master?"]) == 0
    answer = capsys.readouterr().out
    assert "Ada Quill" in json.loads(answer)["citations"][0]["cited_text"]
    saved = folder.parent / "answer.json"
    saved.write_text(answer)
    assert main(["verify", str(saved)]) == 0
    assert main(["search", "cherry crop"]) == 0
    assert "cherry crop" in capsys.readouterr().out


def test_the_option_comes_before_the_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address that cannot be is told before anything is read."""
    monkeypatch.setenv("RUSTQA_STORE", "qdrant://elsewhere/articles")
    assert main(["index", str(folder), "--store", STORE]) == 0
    assert STORE in capsys.readouterr().out
    assert main(["ask", "Who?", "--store", "http://a"]) == 2
    assert "write it like qdrant://localhost:6333/articles" in capsys.readouterr().err


def test_a_folder_makes_the_collection_what_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New and changed articles are written, those that are gone leave, the others stay."""
    main(["index", str(folder)])
    (folder / "orchard.txt").unlink()
    (folder / "comet.txt").write_text("A comet passed.")
    capsys.readouterr()
    assert main(["index", str(folder)]) == 0
    assert "(1 read, 1 as before, 1 gone)" in capsys.readouterr().out
    assert _ids(capsys) == {"harbour", "comet"}


def test_articles_are_added_and_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others stay; an article that is not there is told."""
    main(["index", str(folder)])
    more = folder.parent / "comet.txt"
    more.write_text("A comet passed.")
    assert main(["index", "add", str(more)]) == 0
    assert _ids(capsys) == {"harbour", "orchard", "comet"}
    assert main(["index", "remove", "orchard"]) == 0
    assert _ids(capsys) == {"harbour", "comet"}
    assert main(["index", "remove", "orchard"]) == 2
    assert "no article 'orchard' there; see: rustqa index list" in capsys.readouterr().err


def test_what_cannot_be_used_is_told_as_for_a_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unreadable files, equal ids and repeats, with the exit code for something to mend."""
    (folder / "again.txt").write_text(HARBOUR)
    (folder / "broken.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "orchard.md").write_text("Another orchard burned.")
    assert main(["index", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "broken.txt: " in told
    assert "another article has the id 'orchard'; rename one" in told
    assert "the same text as the article 'again'; left out" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["index"], "name the articles: rustqa index FOLDER"),
        (["index", "{folder}/nothing"], "no such file or folder"),
        (["index", "{folder}/empty"], "no articles there; put"),
        (["index", "{folder}/bad"], "no article there can be used"),
    ],
)
def test_what_holds_no_article_changes_nothing(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and what is in the collection stays."""
    main(["index", str(folder)])
    (folder.parent / "empty").mkdir()
    (folder.parent / "bad").mkdir()
    (folder.parent / "bad" / "broken.txt").write_bytes(b"\xff\xfe\xff")
    assert main([word.format(folder=folder.parent) for word in arguments]) in (2, 3)
    assert told in capsys.readouterr().err
    assert _ids(capsys) == {"harbour", "orchard"}


def test_another_encoder_needs_a_fresh_collection(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused to read and to write, until the collection is made anew."""
    main(["index", str(folder)])
    for arguments in (["ask", "Who?"], ["index", str(folder)], ["index", "check"]):
        assert main([*arguments, "--encoder", "other"]) == 3
        assert "another encoder" in capsys.readouterr().err
    assert main(["index", str(folder), "--fresh", "--encoder", "other"]) == 0
    assert main(["index", "check", "--encoder", "other"]) == 0


def test_check_tells_what_is_amiss(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole it says so; a lost replica is named."""
    main(["index", str(folder)])
    capsys.readouterr()
    assert main(["index", "check"]) == 0
    assert capsys.readouterr().out == f"{STORE}: whole, and made by this encoder\n"
    lost = "articles: 1 of 2 replicas of shard 0 are alive"
    monkeypatch.setattr("rustqa.remote_indexing.missing_replicas", lambda _connection: [lost])
    assert main(["index", "check"]) == 1
    assert lost in capsys.readouterr().out


def test_doctor_looks_at_the_collection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of the index folder."""
    main(["doctor", "--json"])
    found = {item["what"]: item for item in json.loads(capsys.readouterr().out)}
    assert (
        "no articles at qdrant://memory:6333/articles; put some there" in found["index"]["detail"]
    )
    main(["index", str(folder)])
    capsys.readouterr()
    main(["doctor", "--json"])
    found = {item["what"]: item for item in json.loads(capsys.readouterr().out)}
    assert found["index"]["detail"] == f"{STORE}, 5 passages, matches encoder"
    assert found["articles"]["detail"] == "kept in the collection"


def test_one_machine_has_no_replicas_to_miss(qdrant_server: Node) -> None:
    """Outside a cluster nothing is amiss."""
    assert missing_replicas(served(qdrant_server)) == []


@pytest.mark.model
def test_the_shipped_article_answers_from_a_server(
    qdrant_server: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    model_cache: Path,
) -> None:  # fmt: skip
    """From the first command to the answer with the real encoder and reader."""
    connection = served(qdrant_server)
    monkeypatch.setenv("RUSTQA_STORE", str(connection.address))
    monkeypatch.setenv("RUSTQA_CACHE", str(model_cache))
    assert main(["index", str(CORPUS)]) == 0
    assert main(["index", "check"]) == 0
    capsys.readouterr()
    assert main(["ask", "--json", "Why was the case dismissed?"]) == 0
    here = json.loads(capsys.readouterr().out)
    monkeypatch.delenv("RUSTQA_STORE")
    assert main(["ask", "--json", "Why was the case dismissed?"]) == 0
    assert json.loads(capsys.readouterr().out)["answer"] == here["answer"]
