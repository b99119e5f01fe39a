"""What the tests of the index folder share: a saved index, and another."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import FakeEncoder, articles
from rustqa.indexing import build_in_memory
from rustqa.store.folder import IndexedFile, Origin, read_origin, save_store
from rustqa.store.local import FaissStore


def beside(folder: Path) -> list[str]:
    """What lies beside it."""
    return sorted(item.name for item in folder.parent.iterdir() if item != folder)


@pytest.fixture
def folder(tmp_path: Path, fake_store: FaissStore) -> Path:
    """A saved index, alone in its parent folder."""
    made = tmp_path / "parent" / "index"
    file = IndexedFile(0, "harbour.txt", "1:2", "0" * 64, 0, 2)
    save_store(fake_store, made, Origin((tmp_path / "corpus",), files=(file,)))
    return made


@pytest.fixture
def other_store() -> FaissStore:
    """Another index than that in the folder."""
    return build_in_memory(articles()[:1], FakeEncoder())


def sources_of(index: Path) -> tuple[Path, ...]:
    """Where the articles of an index lie."""
    origin = read_origin(index)
    return origin.sources if origin else ()
