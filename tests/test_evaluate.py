"""The measures, on outcomes whose scores are known by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fakes import FakeEncoder, FakeReader, articles
from rustqa.evaluate import Outcome, evaluate, score, table, token_f1
from rustqa.labelled import LabelledQuestion, LabelledSet, Support
from rustqa.pipeline import Pipeline, build_in_memory


def outcome(rank: int | None, confidence: float, answerable: bool = True) -> Outcome:
    """An outcome with the right sentence at the rank."""
    return Outcome("factoid", answerable, confidence >= 0.5, rank, rank == 1, 0.0, 0.0, confidence)


def test_ranking_measures() -> None:
    """Ranks 1, 2 and none: a third first, two thirds among three, mean reciprocal rank a half."""
    scores = score([outcome(1, 0.9), outcome(2, 0.8), outcome(None, 0.7)])
    assert scores.hit_at_1 == pytest.approx(1 / 3)
    assert scores.hit_at_3 == pytest.approx(2 / 3)
    assert scores.mrr == pytest.approx(0.5)
    assert scores.auroc is None, "without unanswerable questions there is nothing to tell apart"


def test_silence() -> None:
    """Answered and silent count the answerable and the unanswerable questions each."""
    scores = score([outcome(1, 0.9), outcome(1, 0.2), outcome(None, 0.1, answerable=False)])
    assert scores.answered == 0.5
    assert scores.silent == 1.0


def test_coverage_at_90_percent_precision() -> None:
    """Nine right answers above a wrong one are all given, what comes after two wrong ones not."""
    right = [outcome(1, 0.9 - i / 100) for i in range(9)]
    wrong = [outcome(None, 0.5), outcome(None, 0.4)]
    assert score(right + wrong).coverage_at_90 == pytest.approx(10 / 11)


def test_coverage_cannot_part_equal_confidences() -> None:
    """A right and a wrong answer of one confidence are given together or not at all."""
    assert score([outcome(1, 0.5), outcome(None, 0.5)]).coverage_at_90 == 0


def test_expected_calibration_error() -> None:
    """Ten answers at 0.85 of which six are right are off by a quarter."""
    outcomes = [outcome(1 if i < 6 else None, 0.85) for i in range(10)]
    assert score(outcomes).ece == pytest.approx(0.25)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.9])), min_size=2))
def test_auroc_agrees_with_scikit_learn(items: list[tuple[bool, float]]) -> None:
    """The area under the ROC curve equals scikit-learn's, ties included."""
    kinds = [answerable for answerable, _ in items]
    ours = score([outcome(1, confidence, kind) for kind, confidence in items]).auroc
    if len(set(kinds)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(roc_auc_score(kinds, [value for _, value in items]))


@pytest.mark.parametrize(
    ("given", "gold", "expected"),
    [
        ("The Judge, Mary Sommer", "Mary Sommer", 4 / 5),
        ("“an actor”", "actor", 1),
        ("Santa Fe", "New York", 0),
        ("", "anything", 0),
    ],
)
def test_token_f1(given: str, gold: str, expected: float) -> None:
    """Case, articles and punctuation do not count; shared words do."""
    assert token_f1(given, gold) == pytest.approx(expected)


def test_scores_whatever_can_be_asked() -> None:
    """A pipeline is scored on right, wrong and unanswerable questions; the table shows each."""
    documents = articles()
    encoder = FakeEncoder()
    pipeline = Pipeline(build_in_memory(documents, encoder), encoder, FakeReader(), 0.5)
    start = documents[0].text.index("Engineers")
    support = (Support("harbour", start, start + 9, 1),)
    found = LabelledQuestion("Engineers found a crack in the wall?", "yesno", (), ("E",), support)
    missed = LabelledQuestion("When does autumn bring money?", "factoid", (), ("E",), support)
    unsaid = LabelledQuestion("Who won the cup?", "unanswerable", (), (), ())
    report = evaluate([LabelledSet((), (found, missed, unsaid))], lambda _set: pipeline)
    assert report.kinds["yesno"].hit_at_1 == 1
    assert report.kinds["yesno"].paragraph_hit_at_1 == 1
    assert report.kinds["yesno"].exact_match == 1
    assert report.kinds["factoid"].hit_at_1 == 0
    assert report.kinds["unanswerable"].silent == 1
    assert report.overall.auroc == 1
    assert [line.split()[0] for line in table(report).splitlines()] == [
        "kind", "factoid", "unanswerable", "yesno", "all",
    ]  # fmt: skip
