"""Updating: what changed is read, the rest taken over, and the index is that of a fresh build."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing_fixtures import indexed_ids, use_fake_encoder, write_articles
from rustqa import indexing, updating
from rustqa.checking import Changes, check_index, find_changes, open_store
from rustqa.errors import CorpusError, StoreError
from rustqa.indexing import Indexed, build_index, read_documents
from rustqa.settings import Settings
from rustqa.sources import reading
from rustqa.sources.files import Problem, SourceFile
from rustqa.store import folder, replacing
from rustqa.store.folder import read_origin
from rustqa.types import Document


def test_only_what_changed_is_read(settings: Settings, corpus: Path) -> None:
    """New, changed and deleted files are told apart, and the rest is taken over."""
    write_articles(corpus, snow="It snowed.", hail="It hailed.", fog="There was fog.")
    first = build_index(settings)
    assert (first.read, first.kept, first.gone) == (4, 0, 0)
    write_articles(corpus, snow="It snowed a lot.", sleet="There was sleet.")
    (corpus / "fog.txt").unlink()
    second = build_index(settings)
    assert (second.read, second.kept, second.gone) == (2, 2, 1)
    assert indexed_ids(settings) == ["hail", "rain", "sleet", "snow"]
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
    rows = ['{"id": "a", "text": "It hailed."}', "nothing", '{"id": "b", "text": "It froze."}']
    (corpus / "rows.jsonl").write_text("\n".join(rows))
    indexed = build_index(settings)
    assert [name for name, _ in indexed.problems] == ["bad.txt", "rows.jsonl:2"]
    assert "UTF-8" in indexed.problems[0].reason
    assert indexed_ids(settings) == ["rain", "a", "b"]
    assert open_store(settings).id == indexed.store.id
    again = build_index(settings)
    assert (again.problems, again.old_problems) == ([], indexed.problems)
    write_articles(corpus, bad="It is mended.")
    mended = build_index(settings)
    assert [name for name, _ in (*mended.problems, *mended.old_problems)] == ["rows.jsonl:2"]
    assert indexed_ids(settings)[0] == "bad"


def test_nothing_usable_makes_no_index(settings: Settings, corpus: Path) -> None:
    """The old one stays, and the first fault is named."""
    build_index(settings)
    (corpus / "rain.txt").write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"no article there can be used; rain.txt: .*UTF-8"):
        build_index(settings)
    assert indexed_ids(settings) == ["rain"]
    (corpus / "rain.txt").unlink()
    with pytest.raises(CorpusError, match=r"no articles there; put .txt"):
        build_index(settings)


def test_two_articles_do_not_share_an_id(settings: Settings, corpus: Path) -> None:
    """The second is named; once the first is gone it takes its place."""
    write_articles(corpus / "a", rain="It rained in A.")
    write_articles(corpus / "a-rain.d", x="x.")
    write_articles(corpus, **{"a-rain": "It rained, said A."})
    indexed = build_index(settings)
    assert [(name, reason.partition(";")[0]) for name, reason in indexed.problems] == [
        ("a/rain.txt", "another article has the id 'a-rain'")
    ]
    (corpus / "a-rain.txt").unlink()
    assert build_index(settings).store.documents["a-rain"].text == "It rained in A."


def test_the_same_article_is_indexed_once(settings: Settings, corpus: Path) -> None:
    """A copy is named and left out, until the first is gone."""
    write_articles(corpus, sun="It rained  on\nMonday.")
    indexed = build_index(settings)
    assert indexed.problems == []
    assert [tuple(repeat) for repeat in indexed.repeats] == [
        ("sun.txt", "the same text as the article 'rain'; left out")
    ]
    assert indexed_ids(settings) == ["rain"]
    assert find_changes(settings) == Changes([], [], [])
    (corpus / "rain.txt").unlink()
    assert build_index(settings).repeats == []
    assert indexed_ids(settings) == ["sun"]


def test_a_check_says_what_is_amiss(settings: Settings, corpus: Path) -> None:
    """Files that are new, changed, gone or of no use."""
    write_articles(corpus, snow="It snowed.")
    (corpus / "bad.txt").write_bytes(b"\xff")
    build_index(settings)
    (corpus / "snow.txt").unlink()
    write_articles(corpus, rain="It poured.", fog="There was fog.")
    found = check_index(settings)
    assert found.pop("not used")[0].startswith("bad.txt: not UTF-8")
    assert found.pop("not there") == found.pop("to mend") == []
    assert found == {"new": ["fog.txt"], "changed": ["rain.txt"], "gone": ["snow.txt"]}


def test_documents_are_read_as_they_are_now(settings: Settings, corpus: Path) -> None:
    """From their files where these are, from the index where they are not; unknown ones are
    left out."""
    build_index(settings)
    write_articles(corpus, rain="It poured.")
    assert read_documents(settings, ["rain", "fog"])["rain"].text == "It poured."
    corpus.rename(corpus.with_name("elsewhere"))
    settings = replace(settings, corpus=None)
    assert read_documents(settings, ["rain"])["rain"].text == "It rained on Monday."


def test_the_encoder_is_opened_where_there_is_something_to_encode(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, corpus: Path
) -> None:
    """Not for an index that is up to date, nor for one that only lost an article."""
    write_articles(corpus, snow="It snowed.")
    build_index(settings)
    (corpus / "snow.txt").unlink()
    monkeypatch.setattr(indexing, "open_passage_encoder", lambda *_: pytest.fail("opened"))
    build_index(settings)
    assert indexed_ids(settings) == ["rain"]


def test_files_are_found_by_their_source_wherever_it_lies(
    settings: Settings, corpus: Path, tmp_path: Path
) -> None:
    """Sources in another order are the same sources."""
    write_articles(
        tmp_path / "more", rain="It rained elsewhere, and on Tuesday.", snow="It snowed."
    )
    settings = replace(settings, corpus=None)
    build_index(settings, [corpus, tmp_path / "more"])
    indexed = build_index(settings, [tmp_path / "more", corpus])
    assert indexed.kept == 1
    assert indexed_ids(settings) == ["rain", "snow"]
    assert indexed.store.documents["rain"].text.startswith("It rained elsewhere")
    origin = read_origin(settings.index)
    assert origin is not None
    assert [file.name for file in origin.files] == ["rain.txt", "snow.txt", "rain.txt"]


def test_what_changes_while_another_is_read_is_not_lost(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken as it was, and found changed the next time."""
    write_articles(corpus, a="It froze.")
    build_index(settings)
    write_articles(corpus, a="It froze again.")
    read = reading.read_file

    def change(file: SourceFile) -> Iterator[Document | Problem]:
        (corpus / "rain.txt").write_text("It poured on Sunday.")
        return read(file)

    monkeypatch.setattr(updating, "read_file", change)
    build_index(settings)
    assert find_changes(settings) == Changes([], ["rain.txt"], [])
    monkeypatch.undo()


def test_bad_lines_and_repeats_are_not_read_again_for_nothing(
    settings: Settings, corpus: Path
) -> None:
    """They are told of as before; what another file caused is looked at when any file changes."""
    rows = ['{"id": "a", "text": "It hailed."}', "no", '{"id": "b", "text": "It hailed."}']
    (corpus / "rows.jsonl").write_text("\n".join(rows))
    first = build_index(settings)
    again = build_index(settings)
    assert (again.read, again.kept) == (0, 2)
    assert (again.problems, again.repeats) == ([], [])
    assert (again.old_problems, again.old_repeats) == (first.problems, first.repeats)
    names = [name for name, _ in (*again.old_problems, *again.old_repeats)]
    assert names == ["rows.jsonl:2", "rows.jsonl"]
    write_articles(corpus, snow="It snowed.")
    grown = build_index(settings)
    assert (grown.read, grown.kept) == (1, 2)


def test_an_index_among_its_articles_is_not_one_of_them(settings: Settings, corpus: Path) -> None:
    """However often it is made."""
    settings = replace(settings, index=corpus / "index")
    for _ in range(3):
        build_index(settings)
    assert indexed_ids(settings) == ["rain"]
    assert find_changes(settings) == Changes([], [], [])


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"no JSON\n"])
def test_a_damaged_list_of_files_is_mended(settings: Settings, damage: bytes) -> None:
    """By the command that the message names."""
    build_index(settings)
    (settings.index / "files.jsonl").write_bytes(damage)
    with pytest.raises(StoreError, match=r"files.jsonl is damaged; build it again"):
        open_store(settings)
    build_index(settings)
    assert open_store(settings).documents["rain"]


def test_another_folder_of_like_files_is_read(settings: Settings, tmp_path: Path) -> None:
    """Though sizes and times are the same, as in what was packed to be reproducible."""
    settings = replace(settings, corpus=None)
    for name, day in (("v1", "Monday"), ("v2", "Friday")):
        write_articles(tmp_path / name, a=f"It rained on {day}.")
        os.utime(tmp_path / name / "a.txt", (0, 0))
    build_index(settings, [tmp_path / "v1"])
    assert "Friday" in build_index(settings, [tmp_path / "v2"]).store.documents["a"].text


def test_a_removed_line_stays_away_wherever_it_stands(settings: Settings, corpus: Path) -> None:
    """And takes no other with it."""
    rows = [f'{{"text": "It rained on day {n}."}}' for n in range(3)]
    (corpus / "rows.jsonl").write_text("\n".join(rows))
    store = build_index(settings).store
    second = list(store.documents)[2]
    build_index(settings, remove=[second])
    (corpus / "rows.jsonl").write_text("\n".join(['{"text": "It froze."}', *rows]))
    texts = [item.text for item in build_index(settings).store.documents.values()]
    expected = ["It rained on Monday.", "It froze.", "It rained on day 0.", "It rained on day 2."]
    assert texts == expected


def test_only_one_makes_an_index_at_a_time(settings: Settings) -> None:
    """Another is told to wait, and what was left half-made is cleared away."""
    left = settings.index.parent / ".index-k1ll_ed0" / "new"
    left.mkdir(parents=True)
    with (
        replacing.locked(settings.index),
        pytest.raises(StoreError, match="another process is making"),
    ):
        build_index(settings)
    build_index(settings)
    assert not left.parent.exists()


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
            write_articles(corpus, **files)
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
                assert {*one.problems, *one.old_problems} == set(other.problems)
                assert {*one.repeats, *one.old_repeats} == set(other.repeats)
                assert check_index(at[0])["new"] == []
            assert folder.present(at[0].index).exists() or number == 0 or other is None
