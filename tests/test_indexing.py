"""Indexing: how the index behind the pipeline is built, opened and brought up to date."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import CountingEncoder
from rustqa import checking, encoder, indexing
from rustqa.encoder import open_passage_encoder, open_question_encoder, weights_fingerprint
from rustqa.errors import CorpusError, StoreError
from rustqa.indexing import (
    build_index,
)
from rustqa.opening import open_pipeline
from rustqa.settings import Settings
from rustqa.store.folder import load_store
from rustqa.store.local import FaissStore


def test_an_index_is_built_and_opened(settings: Settings) -> None:
    """What was built answers with the reader set, also where only the index knows its corpus."""
    built = build_index(settings).store
    for opened in (settings, replace(settings, corpus=None)):
        asker = open_pipeline(opened)
        assert asker.store.id == built.id
        answer = asker.ask("When did it rain?")
        assert answer.citations[0].cited_text == "It rained on Monday."
        assert answer.model["reader"] == "mine"


def test_a_missing_index_is_built_only_where_that_is_allowed(settings: Settings) -> None:
    """Without leave to write the error says how to build it."""
    with pytest.raises(StoreError, match=r"no index at .*; build it: rustqa index"):
        open_pipeline(settings)
    assert not settings.index.exists()
    assert open_pipeline(settings, build=True).ask("When?").status == "answered"


@pytest.mark.parametrize("change", ["changed", "new", "encoder"])
def test_a_stale_index_is_refused_or_rebuilt(settings: Settings, change: str) -> None:
    """After a change of articles or encoder the old index does not answer."""
    old = build_index(settings).store.id
    corpus = settings.corpus
    assert corpus is not None
    if change == "encoder":
        settings = replace(settings, encoder="other")
    else:
        name = "rain.txt" if change == "changed" else "snow.txt"
        (corpus / name).write_text("It snowed on Friday.")
    with pytest.raises(StoreError, match="rustqa index"):
        open_pipeline(settings)
    assert open_pipeline(settings, build=True).store.id != old
    assert open_pipeline(settings).store.id != old


def test_an_index_serves_without_its_corpus(settings: Settings) -> None:
    """The index holds the articles; where they are gone it answers on, but is not rebuilt."""
    build_index(settings)
    assert settings.corpus is not None
    settings.corpus.rename(settings.corpus.with_name("elsewhere"))
    settings = replace(settings, corpus=None)
    assert open_pipeline(settings).ask("When did it rain?").status == "answered"
    with pytest.raises(CorpusError, match="put it back, or: rustqa index remove"):
        build_index(settings)


@pytest.fixture
def passages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CountingEncoder:
    """What encodes passages, and records them."""
    encoder = CountingEncoder()
    monkeypatch.setattr(indexing, "open_passage_encoder", lambda _name, _cache: encoder)
    return encoder


def _same_vectors(one: FaissStore, other: FaissStore) -> bool:
    return np.array_equal(one.columns.vectors, other.columns.vectors)


def test_what_stands_in_the_index_is_not_encoded_again(
    settings: Settings, passages: CountingEncoder
) -> None:
    """Neither for an unchanged corpus nor for a grown one; a fresh build encodes all."""
    assert settings.corpus is not None
    built = build_index(settings).store
    assert passages.encoded == ["It rained on Monday."]
    passages.encoded.clear()
    assert build_index(settings).store.id == built.id
    assert passages.encoded == []
    (settings.corpus / "snow.txt").write_text("It rained on Monday.\n\nIt snowed on Friday.")
    grown = build_index(settings).store
    assert passages.encoded == ["It snowed on Friday."]
    assert _same_vectors(load_store(settings.index), grown)
    passages.encoded.clear()
    fresh = build_index(settings, fresh=True).store
    assert sorted(passages.encoded) == ["It rained on Monday.", "It snowed on Friday."]
    assert fresh.id == grown.id
    assert _same_vectors(fresh, grown)


@pytest.mark.parametrize("name", ["manifest.json", "vectors.npy", "documents.jsonl"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_of_a_damaged_index_nothing_is_taken_over(
    settings: Settings, passages: CountingEncoder, name: str, damage: str
) -> None:
    """It is built anew, as if there were none."""
    built = build_index(settings).store
    file = settings.index / name
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-20])
    else:
        file.unlink()
    passages.encoded.clear()
    build_index(settings)
    assert passages.encoded == ["It rained on Monday."]
    assert _same_vectors(load_store(settings.index), built)


@pytest.mark.parametrize(
    "other", [CountingEncoder(name="other"), CountingEncoder(weights="1" * 64)]
)
def test_another_encoder_encodes_all(
    settings: Settings,
    passages: CountingEncoder,
    monkeypatch: pytest.MonkeyPatch,
    other: CountingEncoder,
) -> None:
    """Of another name, or of other weights under the same."""
    build_index(settings)
    monkeypatch.setattr(indexing, "open_passage_encoder", lambda _name, _cache: other)
    for module in (checking, indexing):
        monkeypatch.setattr(module, "weights_fingerprint", lambda _name: other.fingerprint)
    store = build_index(replace(settings, encoder=other.name)).store
    assert other.encoded == ["It rained on Monday."]
    assert store.recipe["weights_sha256"] == other.fingerprint


def test_an_index_elsewhere_is_built_whole(settings: Settings, passages: CountingEncoder) -> None:
    """Only what it replaces is taken over."""
    build_index(settings)
    passages.encoded.clear()
    build_index(replace(settings, index=settings.index.with_name("elsewhere")))
    assert passages.encoded == ["It rained on Monday."]


def test_an_index_that_was_put_aside_is_taken_over(
    settings: Settings, passages: CountingEncoder
) -> None:
    """As a save that was cut off left it."""
    build_index(settings)
    settings.index.rename(settings.index.with_name(f".{settings.index.name}-previous"))
    passages.encoded.clear()
    build_index(settings)
    assert passages.encoded == []
    assert len(load_store(settings.index)) == 1


@pytest.mark.model
def test_another_model_is_prepared_once_for_index_and_questions(
    settings: Settings,
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where neither is there yet; torch cannot export two at a time."""
    monkeypatch.setattr(indexing, "open_passage_encoder", open_passage_encoder)
    monkeypatch.setattr(encoder, "open_question_encoder", open_question_encoder)
    for module in (checking, indexing):
        monkeypatch.setattr(module, "weights_fingerprint", weights_fingerprint)
    with caplog.at_level(logging.WARNING):
        asker = open_pipeline(replace(settings, encoder=str(small_model)), build=True)
    assert asker.ask("When did it rain?").status == "answered"
    assert caplog.text.count("preparing the encoder") == 1
    assert "stays slow to start" not in caplog.text
