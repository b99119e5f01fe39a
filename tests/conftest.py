"""Fixtures shared by the tests: the shipped article, small stores, and the real encoder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import hypothesis
import pytest

from fakes import ARTICLE_ID, CORPUS, FakeEncoder, FakeReader, articles
from rustqa.encoder import (
    PACKAGED,
    PACKAGED_SHA256,
    model_folder,
    open_passage_encoder,
    open_question_encoder,
)
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.sources.reading import read_corpus
from rustqa.store.local import FaissStore
from rustqa.torch_encoder import TorchEncoder
from rustqa.types import Document, Encoder
from rustqa.windows import Layout

pytest_plugins = [
    "browser_fixtures",
    "faults",
    "indexing_fixtures",
    "qdrant_servers",
    "folder_fixtures",
]

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
    """Where the encoder of questions is kept: RUSTQA_TEST_CACHE, else a folder of this session."""
    given = os.environ.get("RUSTQA_TEST_CACHE")
    return Path(given) if given else tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def torch_encoder() -> TorchEncoder:
    """The packaged encoder in sentence-transformers, which the others are to equal."""
    return TorchEncoder(PACKAGED, model_folder(PACKAGED), PACKAGED_SHA256)


@pytest.fixture(scope="session")
def passage_encoder(model_cache: Path) -> Encoder:
    """The packaged encoder as it encodes passages."""
    return open_passage_encoder(PACKAGED, model_cache)


@pytest.fixture(scope="session")
def question_encoder(model_cache: Path) -> Encoder:
    """The packaged encoder as it encodes questions."""
    return open_question_encoder(PACKAGED, model_cache)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of another model of sentence-transformers, which learnt nothing."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models") / "small"
    left_out = shutil.ignore_patterns("model.safetensors")
    shutil.copytree(model_folder(PACKAGED), folder, ignore=left_out)
    config = BertConfig.from_pretrained(folder)
    config.hidden_size, config.intermediate_size = 32, 64
    config.num_hidden_layers, config.num_attention_heads = 2, 4
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    pooling = folder / "1_Pooling" / "config.json"
    described = json.loads(pooling.read_text()) | {"word_embedding_dimension": 32}
    pooling.write_text(json.dumps(described))
    return folder
