"""Updating: what changed is read, the rest taken over, and the index is that of a fresh build."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing_fixtures import use_fake_encoder
from rustqa import indexing
from rustqa.checking import Changes, check_index, find_changes, open_store
from rustqa.errors import CorpusError, StoreError
from rustqa.indexing import Indexed, build_index, read_documents
from rustqa.settings import Settings
from rustqa.store import folder
from rustqa.store.folder import load_store, read_origin


@pytest.fixture
def corpus(settings: Settings) -> Path:
    """The folder of articles."""
    assert settings.corpus is not None
    return settings.corpus


def _write(folder: Path, **texts: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)


def _ids(settings: Settings) -> list[str]:
    return list(load_store(settings.index).documents)


def test_only_what_changed_is_read(settings: Settings, corpus: Path) -> None:
    """New, changed and deleted files are told apart, and the rest is taken over."""
    _write(corpus, snow="It snowed.", hail="It hailed.", fog="There was fog.")
    first = build_index(settings)
    assert (first.read, first.kept, first.gone) == (4, 0, 0)
    _write(corpus, snow="It snowed a lot.", sleet="There was sleet.")
    (corpus / "fog.txt").unlink()
    second = build_index(settings)
    assert (second.read, second.kept, second.gone) == (2, 2, 1)
    assert _ids(settings) == ["hail", "rain", "sleet", "snow"]
    assert second.store.documents["snow"].text == "It snowed a lot."
    fresh = build_index(replace(settings, index=settings.index.with_name("fresh"))).store
    assert second.store.id == fresh.id
    assert second.store.words == fresh.words


def test_an_index_that_is_up_to_date_is_left_alone(settings: Settings) -> None:
    """Not a file of it is written."""
    build_index(settings)
    before = {file.name: file.stat().st_ino for file in settings.index.iterdir()}
    build_index(settings)
    assert {file.name: file.stat().st_ino for file in settings.index.iterdir()} == before


def test_a_touched_file_is_not_read_again(settings: Settings, corpus: Path) -> None:
    """What counts is its content; so a copy or a checkout is as good as the original."""
    build_index(settings)
    os.utime(corpus / "rain.txt", (1, 1))
    assert find_changes(settings) == Changes([], [], [])
    assert build_index(settings).kept == 1


def test_metadata_beside_an_article_is_a_part_of_it(settings: Settings, corpus: Path) -> None:
    """Its change is a change of the article."""
    build_index(settings)
    (corpus / "rain.toml").write_text('title = "Wet"')
    assert find_changes(settings) == Changes([], ["rain.txt"], [])
    assert build_index(settings).store.documents["rain"].title == "Wet"
    (corpus / "rain.toml").unlink()
    assert build_index(settings).store.documents["rain"].title == "rain"


def test_bad_files_stop_no_other(settings: Settings, corpus: Path) -> None:
    """They are named with what is wrong, and read again the next time, mended or not."""
    (corpus / "bad.txt").write_bytes(b"\xff")
    (corpus / "rows.jsonl").write_text('{"text": "It hailed."}\nnothing\n{"text": "It froze."}\n')
    indexed = build_index(settings)
    assert [name for name, _ in indexed.problems] == ["bad.txt", "rows.jsonl:2"]
    assert "UTF-8" in indexed.problems[0].reason
    assert _ids(settings) == ["rain", "rows-1", "rows-3"]
    assert open_store(settings).id == indexed.store.id
    assert len(build_index(settings).problems) == 2
    _write(corpus, bad="It is mended.")
    assert [name for name, _ in build_index(settings).problems] == ["rows.jsonl:2"]
    assert _ids(settings)[0] == "bad"


def test_nothing_usable_makes_no_index(settings: Settings, corpus: Path) -> None:
    """The old one stays, and the first fault is named."""
    build_index(settings)
    (corpus / "rain.txt").write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"no article there can be used; rain.txt: .*UTF-8"):
        build_index(settings)
    assert _ids(settings) == ["rain"]
    (corpus / "rain.txt").unlink()
    with pytest.raises(CorpusError, match=r"no articles there; put .txt"):
        build_index(settings)


def test_two_articles_do_not_share_an_id(settings: Settings, corpus: Path) -> None:
    """The second is named; once the first is gone it takes its place."""
    _write(corpus / "a", rain="It rained in A.")
    _write(corpus / "a-rain.d", x="x.")
    _write(corpus, **{"a-rain": "It rained, said A."})
    indexed = build_index(settings)
    assert [(name, reason.partition(";")[0]) for name, reason in indexed.problems] == [
        ("a/rain.txt", "another article has the id 'a-rain'")
    ]
    (corpus / "a-rain.txt").unlink()
    assert build_index(settings).store.documents["a-rain"].text == "It rained in A."


def test_the_same_article_is_indexed_once(settings: Settings, corpus: Path) -> None:
    """A copy is named and left out, until the first is gone."""
    _write(corpus, sun="It rained  on\nMonday.")
    indexed = build_index(settings)
    assert indexed.problems == []
    assert [tuple(repeat) for repeat in indexed.repeats] == [
        ("sun.txt", "the same text as the article 'rain'; left out")
    ]
    assert _ids(settings) == ["rain"]
    assert find_changes(settings) == Changes([], [], [])
    (corpus / "rain.txt").unlink()
    assert build_index(settings).repeats == []
    assert _ids(settings) == ["sun"]


def test_sources_are_added(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    """A folder or a file joins those that are known, and is known from then on."""
    _write(tmp_path / "more", snow="It snowed.")
    _write(tmp_path, hail="It hailed.")
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus])
    indexed = build_index(settings, add=[tmp_path / "more", tmp_path / "hail.txt"])
    assert (indexed.read, indexed.kept) == (2, 1)
    assert _ids(settings) == ["rain", "snow", "hail"]
    _write(tmp_path / "more", fog="There was fog.")
    build_index(settings)
    assert _ids(settings) == ["rain", "fog", "snow", "hail"]
    build_index(settings, [tmp_path / "more"])
    assert _ids(settings) == ["fog", "snow"]


def test_articles_and_sources_are_removed(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    """An article stays out until it is added again; a source is forgotten."""
    _write(corpus, snow="It snowed.")
    _write(tmp_path / "more", hail="It hailed.")
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus, tmp_path / "more"])
    removed = build_index(settings, remove=["snow", str(tmp_path / "more")])
    assert (removed.gone, _ids(settings)) == (2, ["rain"])
    build_index(settings)
    assert _ids(settings) == ["rain"]
    assert find_changes(settings) == Changes([], [], [])
    build_index(settings, add=[corpus / "snow.txt"])
    assert "snow" in _ids(settings)
    build_index(settings)
    assert "snow" in _ids(settings)


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
    assert _ids(settings) == ["rain"]
    assert open_store(settings).documents["rain"]


def test_a_check_says_what_is_amiss(settings: Settings, corpus: Path) -> None:
    """Files that are new, changed, gone or of no use."""
    _write(corpus, snow="It snowed.")
    (corpus / "bad.txt").write_bytes(b"\xff")
    build_index(settings)
    (corpus / "snow.txt").unlink()
    _write(corpus, rain="It poured.", fog="There was fog.")
    found = check_index(settings)
    assert found.pop("not used")[0].startswith("bad.txt: not UTF-8")
    assert found == {"new": ["fog.txt"], "changed": ["rain.txt"], "gone": ["snow.txt"]}


def test_documents_are_read_as_they_are_now(settings: Settings, corpus: Path) -> None:
    """From their files where these are, from the index where they are not; unknown ones are
    left out."""
    build_index(settings)
    _write(corpus, rain="It poured.")
    assert read_documents(settings, ["rain", "fog"])["rain"].text == "It poured."
    corpus.rename(corpus.with_name("elsewhere"))
    settings = replace(settings, corpus=None)
    assert read_documents(settings, ["rain"])["rain"].text == "It rained on Monday."


def test_the_encoder_is_opened_where_there_is_something_to_encode(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, corpus: Path
) -> None:
    """Not for an index that is up to date, nor for one that only lost an article."""
    _write(corpus, snow="It snowed.")
    build_index(settings)
    (corpus / "snow.txt").unlink()
    monkeypatch.setattr(indexing, "open_passage_encoder", lambda *_: pytest.fail("opened"))
    build_index(settings)
    assert _ids(settings) == ["rain"]


def test_files_are_found_by_their_source_wherever_it_lies(
    settings: Settings, corpus: Path, tmp_path: Path
) -> None:
    """Sources in another order are the same sources."""
    _write(tmp_path / "more", rain="It rained elsewhere, and on Tuesday.", snow="It snowed.")
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus, tmp_path / "more"])
    indexed = build_index(settings, [tmp_path / "more", corpus])
    assert indexed.kept == 1
    assert _ids(settings) == ["rain", "snow"]
    assert indexed.store.documents["rain"].text.startswith("It rained elsewhere")
    origin = read_origin(settings.index)
    assert origin is not None
    assert [file.name for file in origin.files] == ["rain.txt", "snow.txt", "rain.txt"]


_TEXTS = ["It rained.", "It froze. Ada slept.", "It rained.\n\nNo.", "", "Nobody slept."]


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(_TEXTS), max_size=4),
        min_size=2,
        max_size=4,
    )
)
def test_whatever_happens_to_the_files_the_index_is_that_of_a_fresh_build(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, str]]
) -> None:
    """After each of any edits, deletions, copies and bad files."""
    place = tmp_path_factory.mktemp("edits")
    cache = place / "cache"
    with pytest.MonkeyPatch.context() as patch:
        use_fake_encoder(patch)
        for number, files in enumerate(states):
            corpus = place / "corpus"
            for old in corpus.glob("*.txt"):
                old.unlink()
            _write(corpus, **files)
            at = [Settings(corpus, place / f"{n}", "fake", cache, cache, 0) for n in ("i", number)]
            made: list[Indexed | None] = []
            for settings in at:
                try:
                    made.append(build_index(settings))
                except CorpusError:
                    made.append(None)
            one, other = made
            assert (one is None) == (other is None)
            if one and other:
                assert one.store.id == other.store.id
                assert one.store.words == other.store.words
                assert (one.problems, one.repeats) == (other.problems, other.repeats)
                assert check_index(at[0])["new"] == []
            assert folder.present(at[0].index).exists() or number == 0 or other is None
