"""Sources: added, removed, away; and single articles that are to stay out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from indexing_fixtures import indexed_ids, write_articles
from rustqa.checking import Changes, check_index, find_changes, open_store
from rustqa.errors import CorpusError, StoreError
from rustqa.indexing import build_index
from rustqa.settings import Settings
from rustqa.store.folder import read_origin


def test_sources_are_added(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    """A folder or a file joins those that are known, and is known from then on."""
    write_articles(tmp_path / "more", snow="It snowed.")
    write_articles(tmp_path, hail="It hailed.")
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus])
    indexed = build_index(settings, add=[tmp_path / "more", tmp_path / "hail.txt"])
    assert (indexed.read, indexed.kept) == (2, 1)
    assert indexed_ids(settings) == ["rain", "snow", "hail"]
    write_articles(tmp_path / "more", fog="There was fog.")
    build_index(settings)
    assert indexed_ids(settings) == ["rain", "fog", "snow", "hail"]
    build_index(settings, [tmp_path / "more"])
    assert indexed_ids(settings) == ["fog", "snow"]


def test_articles_and_sources_are_removed(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    """An article stays out until it is added again; a source is forgotten."""
    write_articles(corpus, snow="It snowed.")
    write_articles(tmp_path / "more", hail="It hailed.")
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus, tmp_path / "more"])
    removed = build_index(settings, remove=["snow", str(tmp_path / "more")])
    assert (removed.gone, indexed_ids(settings)) == (2, ["rain"])
    build_index(settings)
    assert indexed_ids(settings) == ["rain"]
    assert find_changes(settings) == Changes([], [], [])
    build_index(settings, add=[corpus / "snow.txt"])
    assert "snow" in indexed_ids(settings)
    build_index(settings)
    assert "snow" in indexed_ids(settings)


def test_files_and_folders_are_removed_by_their_path(settings: Settings, corpus: Path) -> None:
    """Their articles stay out, and the rest of the source stays in."""
    write_articles(corpus / "wet", hail="It hailed.", fog="There was fog.")
    build_index(settings)
    build_index(settings, remove=[str(corpus / "wet")])
    assert indexed_ids(settings) == ["rain"]
    build_index(settings, add=[corpus / "wet"])
    build_index(settings, remove=[str(corpus / "wet" / "fog.txt")])
    assert indexed_ids(settings) == ["rain", "wet-hail"]


def test_what_is_not_there_cannot_be_removed(settings: Settings) -> None:
    """Neither an article nor a source has that name; nothing is written."""
    build_index(settings)
    with pytest.raises(StoreError, match="'fog' is neither an article nor a source of this index"):
        build_index(settings, remove=["fog"])


def test_a_source_that_vanished_empties_no_index(settings: Settings, corpus: Path) -> None:
    """A drive that is not there is no reason to forget its articles."""
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus])
    corpus.rename(corpus.with_name("elsewhere"))
    with pytest.raises(CorpusError, match=r"no such file or folder; put it back, or: rustqa index"):
        build_index(settings)
    assert indexed_ids(settings) == ["rain"]
    assert open_store(settings).documents["rain"]


def test_an_article_brought_back_does_no_harm(settings: Settings, corpus: Path) -> None:
    """What lies in a folder that is known is no source of its own."""
    write_articles(corpus, snow="It snowed.")
    build_index(settings)
    build_index(settings, remove=["snow"])
    back = build_index(settings, add=[corpus / "snow.txt"])
    assert (back.problems, back.repeats) == ([], [])
    origin = read_origin(settings.index)
    assert origin is not None
    assert origin.sources == (corpus,)
    assert check_index(settings)["not used"] == []


def test_the_folder_that_is_set_may_be_one_of_several(settings: Settings, tmp_path: Path) -> None:
    """Then the others stay."""
    write_articles(tmp_path / "more", hail="It hailed.")
    build_index(settings)
    build_index(settings, add=[tmp_path / "more"])
    assert build_index(settings).kept == 2
    write_articles(tmp_path / "more", fog="There was fog.")
    assert find_changes(settings) == Changes(["fog.txt"], [], [])
