"""What the tests of indexing share: settings of a small corpus, with fakes for the networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import FakeEncoder, FakeReader
from rustqa import checking, indexing
from rustqa.settings import Settings
from rustqa.store.folder import load_store


def use_fake_encoder(patch: pytest.MonkeyPatch) -> None:
    """Indexes are made and checked with the fake encoder, of whatever name."""
    for module in (checking, indexing):
        patch.setattr(module, "weights_fingerprint", lambda name: FakeEncoder(name).fingerprint)
    patch.setattr(indexing, "open_passage_encoder", lambda name, _cache: FakeEncoder(name))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A corpus of one article, no index yet, and fakes for the encoder and the reader."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "rain.txt").write_text("It rained on Monday.")
    use_fake_encoder(monkeypatch)
    monkeypatch.setattr(
        "rustqa.encoder.open_question_encoder", lambda name, _cache: FakeEncoder(name)
    )
    monkeypatch.setattr("rustqa.reader.open_reader", lambda folder: FakeReader(name=folder.name))
    cache, reader = tmp_path / "cache", tmp_path / "mine"
    return Settings(tmp_path / "corpus", tmp_path / "index", "fake", reader, cache, 0.0)


@pytest.fixture
def corpus(settings: Settings) -> Path:
    """The folder of articles."""
    assert settings.corpus is not None
    return settings.corpus


def write_articles(folder: Path, **texts: str) -> None:
    """Writes articles as text files, each called by its name."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)


def indexed_ids(settings: Settings) -> list[str]:
    """The ids of the articles in the index, in its order."""
    return list(load_store(settings.index).documents)
