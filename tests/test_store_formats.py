"""Indexes of other formats: refused by name, and made anew from what they were made from."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEncoder
from folder_fixtures import beside
from indexing_fixtures import indexed_ids, write_articles
from rustqa.checking import check_index, open_store
from rustqa.cli import main
from rustqa.doctor import examine
from rustqa.errors import StoreError
from rustqa.indexing import build_index
from rustqa.opening import open_pipeline
from rustqa.settings import Settings
from rustqa.store.folder import load_store, read_origin


def write_first_format(index: Path, corpus: Path) -> None:
    """An index of one article as the first format had it: a manifest without a checksum of its
    own, one corpus, and three files."""
    text = (corpus / "rain.txt").read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    span = [0, len(text)]
    document = {"id": "rain", "text": text, "blocks": [[*span, 1]], "title": "rain", "url": None}
    passage = {"document_id": "rain", "paragraph": 1, "start": 0, "end": 20, "sentences": [span]}
    files = {
        "vectors.faiss": b"IxFI" + FakeEncoder().encode([text]).tobytes(),
        "documents.jsonl": json.dumps(document).encode() + b"\n",
        "passages.jsonl": json.dumps(passage).encode() + b"\n",
    }
    recipe = {"encoder": "fake", "weights_sha256": FakeEncoder().fingerprint, "splitter": "s 1"}
    manifest = {
        "format_version": 1,
        "id": "643762c2f0740653",
        "corpus": "../corpus",
        "recipe": recipe,
        "documents": {"rain": {"sha256": digest, "bytes": len(text)}},
        "passages": 1,
        "vectors": {"rows": 1, "dimensions": 64},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "versions": {"faiss-cpu": "1.15.1", "numpy": "2.4.6"},
    }
    index.mkdir()
    for name, data in {**files, "manifest.json": json.dumps(manifest, indent=2).encode()}.items():
        (index / name).write_bytes(data)


def write_third_format(index: Path, settings: Settings, **more: Any) -> None:
    """An index as a later program might leave it, with files that this one does not know."""
    build_index(settings)
    manifest = json.loads((index / "manifest.json").read_bytes())
    (index / ".manifest.json").unlink()
    (index / "graph.bin").write_bytes(b"unknown")
    manifest |= {"format_version": 3, "checksum": "of another kind", **more}
    manifest["files"]["graph.bin"] = {"blake3": "of another kind", "bytes": 7}
    (index / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(params=[1, 3])
def other(request: pytest.FixtureRequest, settings: Settings, corpus: Path) -> int:
    """The format of the index that is there."""
    if request.param == 1:
        write_first_format(settings.index, corpus)
    else:
        write_third_format(settings.index, settings)
    return int(request.param)


@pytest.mark.parametrize(
    "use",
    [
        lambda settings: load_store(settings.index),
        open_store,
        open_pipeline,
        check_index,
        lambda settings: main(["index", "list", "--index", str(settings.index)]) or 1 / 0,
    ],
)
def test_another_format_is_refused_with_its_mend(
    settings: Settings, other: int, use: Callable[[Settings], object], capsys: Any
) -> None:
    """Wherever an index is used the same line says which command makes it anew; that is so."""
    try:
        code = use(settings)
    except StoreError as error:
        said = str(error)
    else:
        assert code == 3
        said = capsys.readouterr().err.strip().removeprefix("rustqa: ")
    file = settings.index / "manifest.json"
    mend = f"rustqa index --index {settings.index}"
    assert said == (
        f"{file} tells of index format {other}, this program reads 2; build it again: {mend}"
    )
    assert main([*shlex.split(mend)[1:], "--encoder", "fake"]) == 0
    assert indexed_ids(settings) == ["rain"]
    assert read_origin(settings.index) is not None
    assert beside(settings.index) == ["corpus"]
    use_again = open_pipeline(settings)
    assert list(use_again.store.documents) == ["rain"]


def test_the_doctor_tells_of_another_format(settings: Settings, other: int) -> None:
    """As what is to be mended, and how."""
    [found] = [finding for finding in examine(settings) if finding.what == "index"]
    assert not found.ok
    assert f"index format {other}, this program reads 2; build it again: rustqa" in found.detail


def test_a_failed_migration_costs_nothing(settings: Settings, other: int, corpus: Path) -> None:
    """Where the articles are not there the old index stays as it is, for the older program."""
    before = {file.name: file.read_bytes() for file in settings.index.iterdir()}
    corpus.rename(corpus.with_name("away"))
    assert main(["index", "--index", str(settings.index), "--encoder", "fake"]) == 3
    assert {file.name: file.read_bytes() for file in settings.index.iterdir()} == before
    assert beside(settings.index) == ["away"]


def test_of_a_later_format_all_sources_and_removals_are_known(
    settings: Settings, corpus: Path, tmp_path: Path
) -> None:
    """As far as its manifest says so as this format's does."""
    write_articles(corpus, snow="It snowed.")
    write_articles(tmp_path / "more", hail="It hailed.")
    plain = settings.override(corpus=corpus)
    sources = ["../corpus", "../more"]
    write_third_format(settings.index, plain, sources=sources, removed=["snow"])
    assert main(["index", "--index", str(settings.index), "--encoder", "fake"]) == 0
    assert indexed_ids(settings) == ["rain", "hail"]
    origin = read_origin(settings.index)
    assert origin is not None
    assert origin.sources == (corpus, tmp_path / "more")
    assert origin.removed == {"snow"}


@pytest.mark.parametrize("sources", [None, 3, [3], {}, "../corpus"])
def test_of_a_format_that_says_nothing_the_articles_are_to_be_named(
    settings: Settings, corpus: Path, sources: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is guessed; the command with the folder makes the index."""
    write_third_format(settings.index, settings, sources=sources)
    index = ["--index", str(settings.index), "--encoder", "fake"]
    assert main(["index", *index]) == 3
    mend = f"name them: rustqa index FOLDER --index {settings.index}"
    assert f"no articles are known for this index; {mend}" in capsys.readouterr().err
    assert main(["index", str(corpus), *index]) == 0
    assert indexed_ids(settings) == ["rain"]


def test_a_folder_that_only_claims_to_be_an_index_is_not_replaced(
    settings: Settings, corpus: Path
) -> None:
    """What its manifest does not name stays."""
    write_third_format(settings.index, settings)
    (settings.index / "thesis.txt").write_text("years of work")
    assert main(["index", str(corpus), "--index", str(settings.index), "--encoder", "fake"]) == 3
    assert (settings.index / "thesis.txt").read_text() == "years of work"
