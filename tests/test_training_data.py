"""Training examples: the targets stand where the answers do, however an article is changed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from rustqa.errors import InputError
from rustqa.training import data
from rustqa.training.data import Articles, Example, Item, batches, target
from rustqa.types import Span
from rustqa.windows import Layout, Tokens, Window
from training_fixtures import LINK, write_news

CHANGES = (
    "SHUFFLED",
    "CUT_IN_TWO",
    "OTHER_ARTICLE",
    "ANSWER_TAKEN_AWAY",
    "PARAGRAPH_LEFT_OUT",
    "NEIGHBOUR_ADDED",
    "LOWER_CASE",
    "MISTYPED",
    "TURN_BEFORE",
)
AWAY = 1 << 40


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small labelled file."""
    return write_news(tmp_path_factory.mktemp("news"))


@pytest.fixture(scope="module")
def articles(file: Path, layout: Layout) -> Articles:
    """What it holds."""
    return Articles(file, layout)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Changes nothing at random, but for what the test sets."""
    for name in CHANGES:
        monkeypatch.setattr(data, name, 0.0)
    return monkeypatch


def _chance() -> random.Random:
    return random.Random(0)  # noqa: S311  (a sample, not a secret)


def _marked(example: Example) -> tuple[set[int], set[int]]:
    """The offsets in the article at which an answer is wanted to start, and to end."""
    pairs = list(zip(example.windows, example.targets, strict=True))
    starts = {int(at) for window, wanted in pairs for at in window.starts[wanted.starts]}
    return starts, {int(at) for window, wanted in pairs for at in window.ends[wanted.ends]}


def _ends(item: Item) -> tuple[set[int], set[int]]:
    return {answer.start for answer in item.answers}, {answer.end for answer in item.answers}


def _varied(articles: Articles) -> Iterator[tuple[Item, Example]]:
    chance = _chance()
    for item in articles.items * 20:
        yield item, articles.varied(item, chance)


def test_targets_are_the_answers(articles: Articles) -> None:
    """Each answer's first and last token, and nothing where there is no answer."""
    for item in articles.items:
        assert _marked(articles.plain(item)) == _ends(item)


def test_every_start_and_end_is_a_target(layout: Layout) -> None:
    """Of several answers each is right, and so is each sentence that holds one."""
    text = "It froze on Monday. It thawed on Friday."
    sentences = [Span(0, 19), Span(20, 40)]
    [window] = layout.windows(layout.asked("When?"), [layout.tokens(text, 0, sentences)])
    wanted = target(window, [Span(9, 18), Span(12, 18), Span(30, 39)])
    assert [text[window.starts[at] :][:6] for at in wanted.starts] == ["on Mon", "Monday", "on Fri"]
    assert [text[: window.ends[at]][-6:] for at in wanted.ends] == ["Monday", "Friday"]
    assert wanted.sentences == {(0, 0), (0, 1)}


def test_an_answer_cut_between_windows_is_no_target(layout: Layout) -> None:
    """Neither of its parts is one."""
    text = "frost " * 600
    tokens = layout.tokens(text, 0, [Span(0, len(text))])
    first, second = layout.windows(layout.asked("When?"), [tokens])
    cut = int(second.starts[second.starts >= 0][0])
    for window in (first, second):
        wanted = target(window, [Span(cut - 12, cut + 11)])
        assert (len(wanted.starts), len(wanted.ends), wanted.sentences) == (0, 0, frozenset())
    assert len(target(second, [Span(cut, cut + 11)]).starts) == 1


def test_changed_examples_keep_true_targets(articles: Articles) -> None:
    """Whatever is changed, an answer that is still there is marked, and nothing else is."""
    for item, example in _varied(articles):
        starts, ends = _ends(item)
        held = {at for window in example.windows for at in window.starts.tolist()}
        assert _marked(example) in [(starts, ends), (set(), set())]
        assert bool(starts & held) == bool(_marked(example)[0])


def test_another_article_never_answers(articles: Articles) -> None:
    """Its passages are in no target, though they hold the same words."""
    seen = 0
    for _, example in _varied(articles):
        for window, wanted in zip(example.windows, example.targets, strict=True):
            other = np.flatnonzero(window.starts >= AWAY)
            seen += len(other)
            assert not {*wanted.starts, *wanted.ends} & set(other)
            passages = {int(window.passages[place]) for place in other}
            assert not passages & {passage for passage, _ in wanted.sentences}
    assert seen


def test_a_lone_article_is_not_its_own_other(
    only: pytest.MonkeyPatch, tmp_path: Path, file: Path, layout: Layout
) -> None:
    """Where no other article is there, none is added."""
    only.setattr(data, "OTHER_ARTICLE", 1.0)
    lone = tmp_path / "lone.jsonl"
    lone.write_text(file.read_text().splitlines()[0])
    assert all(len(example.windows) == 1 for _, example in _varied(Articles(lone, layout)))


def test_an_answer_taken_away_leaves_no_target(
    only: pytest.MonkeyPatch, articles: Articles
) -> None:
    """The rest of its article does not answer, and holds none of its paragraph."""
    only.setattr(data, "ANSWER_TAKEN_AWAY", 1.0)
    for item, example in _varied(articles):
        assert not any(len(wanted.starts) for wanted in example.targets)
        for answer in item.answers:
            for window in example.windows:
                assert not ((window.starts <= answer.start) & (window.ends > answer.start)).any()


def test_paragraphs_left_out_are_not_the_answers(
    only: pytest.MonkeyPatch, articles: Articles
) -> None:
    """Those that hold an answer stay; where none does, something stays."""
    only.setattr(data, "PARAGRAPH_LEFT_OUT", 1.0)
    for item, example in _varied(articles):
        assert _marked(example) == _ends(item)
        assert len(example) < len(articles.plain(item)) or not item.answers


def test_unchanged_examples_are_plain(only: pytest.MonkeyPatch, articles: Articles) -> None:
    """Where no change is made, the example is the question and its article."""
    for item, example in _varied(articles):
        plain = articles.plain(item)
        for one, other in zip(example.windows, plain.windows, strict=True):
            assert _as_lists(one) == _as_lists(other)


def _as_lists(window: Window) -> list[list[int]]:
    return [getattr(window, name).tolist() for name in Window.__slots__]


def test_the_same_seed_makes_the_same_examples(articles: Articles) -> None:
    """A run can be repeated; another pass over the same questions makes others."""
    chance = _chance()
    passes = [
        [_as_lists(w) for item in articles.items for w in articles.varied(item, seeded).windows]
        for seeded in (_chance(), chance, chance)
    ]
    assert passes[0] == passes[1] != passes[2]


def test_what_only_furniture_answers_is_left_out(articles: Articles, file: Path) -> None:
    """It is neither an answer nor none; what nothing answers is kept."""
    kinds = [item.kind for item in articles.items]
    assert LINK in file.read_text()
    assert "furniture" not in kinds
    assert kinds.count("unanswerable") == 6
    assert len(kinds) == 48


def test_a_follow_up_keeps_its_history(articles: Articles, layout: Layout) -> None:
    """The earlier question stands in its windows."""
    [item, *_] = [item for item in articles.items if item.kind == "followup"]
    asked = layout.asked("And the ferry?", ["Where is the catch landed?"]).tolist()
    [window] = articles.plain(item).windows
    assert window.ids[: len(asked)].tolist() == asked


def test_something_else_may_have_been_talked_of_before(
    only: pytest.MonkeyPatch, articles: Articles, layout: Layout
) -> None:
    """Up to two questions on the same article; a follow-up keeps what it leans on last."""
    only.setattr(data, "TURN_BEFORE", 0.5)
    asked_there: dict[int, list[str]] = {}
    for item in articles.items:
        asked_there.setdefault(item.article, []).append(item.question)
    added = set()
    for item, example in _varied(articles):
        window = example.windows[0]
        asked = window.ids[window.types == 0].tolist()
        others = asked_there[item.article]
        before = [(), *((one,) for one in others), *product(others, others)]
        [turns] = {
            tuple(layout.asked(item.question, (*turns, *item.turns)).tolist()): turns
            for turns in before
            if len(turns) + len(item.turns) <= 2
            and layout.asked(item.question, (*turns, *item.turns)).tolist() == asked
        }.values()
        added.add((len(item.turns), len(turns)))
    assert added == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}


def test_only_some_kinds_are_taken(file: Path, layout: Layout, articles: Articles) -> None:
    """Those named, in the file's order; the articles are all there to stand beside them."""
    some = Articles(file, layout, ["who", "when"])
    assert some.items == [item for item in articles.items if item.kind in {"who", "when"}]
    assert {item.kind for item in some.items} == {"who", "when"}
    with pytest.raises(InputError, match="no question is of the kinds wherefore; name others"):
        Articles(file, layout, ["wherefore"])


def test_questions_without_articles_are_refused(tmp_path: Path, layout: Layout) -> None:
    """The error says what kind of file to name."""
    row = {"question": "Why?", "kind": "why", "answers": [], "support": []}
    (tmp_path / "bare.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match="brings no articles of its own; name one that does"):
        Articles(tmp_path / "bare.jsonl", layout)


def _example(layout: Layout, *lengths: int) -> Example:
    """Windows of so many tokens."""
    asked = layout.asked("Why?")
    windows = []
    for length in lengths:
        at = np.arange(length - len(asked) - 1)
        windows += layout.windows(asked, [Tokens(at, at, at + 1, 0 * at)])
    return Example(tuple(windows), tuple(target(window, []) for window in windows))


def test_batches_hold_every_example_once(layout: Layout) -> None:
    """None is longer than allowed when padded, unless one example is, and like goes with like."""
    chance = _chance()
    lengths = [
        [chance.randrange(10, 400) for _ in range(chance.randrange(1, 4))] for _ in range(99)
    ]
    examples = [_example(layout, *each) for each in [*lengths, [480, 480, 480]]]
    made = list(batches(examples, 1200, chance))
    assert sorted(place for batch in made for place in batch) == list(range(100))
    for batch in made:
        windows = [window for place in batch for window in examples[place].windows]
        assert len(windows) * max(map(len, windows)) <= 1200 or len(batch) == 1
    assert len(made) < 80
    longest = [[max(map(len, examples[place].windows)) for place in batch] for batch in made]
    spans = sorted((min(lengths), max(lengths)) for lengths in longest)
    assert all(shorter[1] <= longer[0] for shorter, longer in pairwise(spans))


def test_no_examples_make_no_batch() -> None:
    """A pass over nothing takes no step."""
    assert list(batches([], 1000, _chance())) == []


def test_the_files_are_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Questions, tokens, windows and kinds of each are counted."""
    assert data.main([str(file)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("news.jsonl: 48 questions, ")
    assert "  what               12\n" in shown
