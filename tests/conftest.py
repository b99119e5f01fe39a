"""Fixtures shared by the tests: the shipped article, small stores, and the real encoder."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from fakes import ARTICLE_ID, CORPUS, FakeEncoder, FakeReader, articles
from rustqa.corpus import read_corpus
from rustqa.encoder import PACKAGED, PACKAGED_SHA256, PassageEncoder, model_folder
from rustqa.index import FaissStore
from rustqa.onnx_cache import OnnxEncoder, open_cached
from rustqa.pipeline import Pipeline, build_in_memory
from rustqa.types import Document
from rustqa.windows import Layout

pytest_plugins = ["browser_fixtures"]

# How long an example takes depends on the machine and says nothing of the code.
hypothesis.settings.register_profile("rustqa", deadline=None, database=None)
hypothesis.settings.load_profile("rustqa")


@pytest.fixture(scope="session")
def article() -> Document:
    """The article that is shipped."""
    return next(document for document in read_corpus(CORPUS) if document.id == ARTICLE_ID)


@pytest.fixture(scope="session")
def fake_store() -> FaissStore:
    """Two short articles, encoded by the fake encoder."""
    return build_in_memory(articles(), FakeEncoder())


@pytest.fixture
def fake_pipeline(fake_store: FaissStore) -> Pipeline:
    """A pipeline over two short articles whose reader is always sure."""
    return Pipeline(fake_store, FakeEncoder(), FakeReader())


@pytest.fixture(scope="session")
def tokenizer() -> Path:
    """The file of the tokenizer that the packaged encoder and the reader share."""
    return model_folder(PACKAGED) / "tokenizer.json"


@pytest.fixture(scope="session")
def layout(tokenizer: Path) -> Layout:
    """What makes windows."""
    return Layout(tokenizer)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the exported encoder is kept: RUSTQA_TEST_CACHE, else a folder of this session."""
    given = os.environ.get("RUSTQA_TEST_CACHE")
    return Path(given) if given else tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def passage_encoder() -> PassageEncoder:
    """The packaged encoder in sentence-transformers."""
    return PassageEncoder(PACKAGED)


@pytest.fixture(scope="session")
def question_encoder(model_cache: Path, request: pytest.FixtureRequest) -> OnnxEncoder:
    """The packaged encoder in ONNX."""
    cached = open_cached(model_cache, PACKAGED, PACKAGED_SHA256)
    if cached is not None:
        return cached
    encoder: PassageEncoder = request.getfixturevalue("passage_encoder")
    return encoder.export(model_cache)
