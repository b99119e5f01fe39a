"""The measures, on outcomes whose scores are known by hand, and the ways to ask a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fakes import FakeEncoder, FakeReader, articles
from rustqa import evaluate as evaluate_module
from rustqa.citations import cite
from rustqa.errors import InputError
from rustqa.evaluate import (
    Outcome,
    Scope,
    evaluate,
    evaluate_file,
    judge,
    risk_coverage,
    score,
    token_f1,
)
from rustqa.indexing import build_in_memory
from rustqa.labelled import LabelledQuestion, LabelledSet, Support
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings
from rustqa.types import Answer, Citation, Passage, Reading, Span, Turn


def outcome(
    rank: int | None, confidence: float, answerable: bool = True, f1: float = 0.0
) -> Outcome:
    """An outcome with the right sentence at the rank, answered from a confidence of a half on."""
    return Outcome(
        question="Who?",
        kind="factoid",
        answerable=answerable,
        answered=confidence >= 0.5,
        rank=rank,
        right_paragraph=rank == 1,
        exact=0.0,
        f1=f1,
        confidence=confidence,
    )


def found(sentence: str, answer: str) -> Citation:
    """The citation of an answer in a sentence of the first article."""
    document = articles()[0]
    start = document.text.index(sentence)
    span = Span(start, start + len(sentence))
    inside = start + sentence.index(answer)
    passage = Passage(document.id, 1, *span, (span,))
    return cite(1, document, Reading(passage, span, Span(inside, inside + len(answer)), 0.5, {}))


def answer_with(citations: Sequence[Citation] = (), nearest: Sequence[Citation] = ()) -> Answer:
    """An answer with these citations or, in silence, these nearest passages."""
    return Answer(
        question="?",
        question_used="?",
        status="answered" if citations else "no_answer",
        answer=None,
        message=None,
        confidence=0.5,
        claims=(),
        contested=False,
        citations=tuple(citations),
        nearest=tuple(nearest),
        suggestions=(),
        index_id="",
        document_sha256={},
        model={},
        timings_ms={},
    )


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


@pytest.mark.parametrize("silent", [False, True])
def test_the_best_span_counts_whether_it_was_given_or_not(silent: bool) -> None:
    """Exact match and F1 are of the answer's words in the first citation or nearest passage."""
    citation = found("Engineers had found a crack in the east wall.", "a crack in the east wall")
    answer = answer_with(nearest=[citation]) if silent else answer_with([citation])
    start = citation.answer_start_char
    support = (Support("harbour", start, start + 1, 1),)
    question = LabelledQuestion("What?", "factoid", (), ("crack", "crack in east wall"), support)
    result = judge(question, answer)
    assert (result.exact, result.f1, result.rank) == (1.0, 1.0, 1)
    assert result.answered != silent
    assert result.f1_given == (0.0 if silent else 1.0)


def test_nothing_found() -> None:
    """An answerable question for which nothing was found scores 0."""
    result = judge(LabelledQuestion("What?", "factoid", (), ("crack",), ()), answer_with())
    assert (result.exact, result.f1, result.rank, result.right_paragraph) == (0, 0, None, False)


def test_f1_of_the_answers_as_given() -> None:
    """An answer scores its F1, silence 1 where there is no answer; F1 itself knows no silence."""
    scores = score(
        [
            outcome(1, 0.9, f1=0.8),
            outcome(1, 0.1, f1=1.0),
            outcome(None, 0.9, answerable=False),
            outcome(None, 0.1, answerable=False),
        ]
    )
    assert scores.f1_given == pytest.approx((0.8 + 0 + 0 + 1) / 4)
    assert scores.f1 == pytest.approx((0.8 + 1) / 2)


def test_best_f1() -> None:
    """The threshold that lets the first two through beats all others, silence included."""
    outcomes = [
        outcome(1, 0.9, f1=0.6),
        outcome(1, 0.8, f1=0.6),
        outcome(None, 0.7, answerable=False),
        outcome(1, 0.6, f1=0.5),
    ]
    assert score(outcomes).best_f1 == pytest.approx((0.6 + 0.6 + 1 + 0) / 4)
    wrong = outcome(None, 0.9, answerable=False)
    assert score([wrong]).best_f1 == 1, "to answer nothing is a threshold too"


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.4, 0.5, 0.9]), st.booleans(), st.floats(0, 1)), min_size=1
    )
)
def test_best_f1_is_that_of_the_best_threshold(items: list[tuple[float, bool, float]]) -> None:
    """It equals the largest mean over every threshold, each tried."""
    outcomes = [outcome(None, sure, kind, f1 if kind else 0.0) for sure, kind, f1 in items]
    tried = [
        sum(item.f1_if(item.confidence >= threshold) for item in outcomes) / len(outcomes)
        for threshold in (0.1, 0.4, 0.5, 0.9, 1.0)
    ]
    assert score(outcomes).best_f1 == pytest.approx(max(tried))


def test_coverage_at_90_percent_precision() -> None:
    """Nine right answers above a wrong one are all given, what comes after two wrong ones not."""
    right = [outcome(1, 0.9 - i / 100) for i in range(9)]
    wrong = [outcome(None, 0.5), outcome(None, 0.4)]
    assert score(right + wrong).coverage_at_90 == pytest.approx(10 / 11)


def test_coverage_cannot_part_equal_confidences() -> None:
    """A right and a wrong answer of one confidence are given together or not at all."""
    pair = [outcome(1, 0.5), outcome(None, 0.5)]
    assert score(pair).coverage_at_90 == 0
    assert risk_coverage([*pair, outcome(2, 0.4)]) == [(2, 1), (3, 2)]


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


def pipeline() -> Pipeline:
    """Two short articles, a fake encoder and a reader that answers with a letter."""
    encoder = FakeEncoder()
    return Pipeline(build_in_memory(articles(), encoder), encoder, FakeReader(), 0.5)


def test_scores_whatever_can_be_asked() -> None:
    """A pipeline is scored on right, wrong and unanswerable questions, each kind by itself."""
    start = articles()[0].text.index("Engineers")
    support = (Support("harbour", start, start + 9, 1),)
    right = LabelledQuestion("Engineers found a crack in the wall?", "yesno", (), ("E",), support)
    missed = LabelledQuestion("When does autumn bring money?", "factoid", (), ("E",), support)
    unsaid = LabelledQuestion("Who won the cup?", "unanswerable", (), (), ())
    report = evaluate([LabelledSet((), (right, missed, unsaid))], lambda _set: pipeline())
    assert report.kinds["yesno"].hit_at_1 == 1
    assert report.kinds["yesno"].paragraph_hit_at_1 == 1
    assert report.kinds["yesno"].exact_match == 1
    assert report.kinds["factoid"].hit_at_1 == 0
    assert report.kinds["unanswerable"].silent == 1
    assert report.overall.auroc == 1


@pytest.mark.parametrize(("answers", "f1_given"), [((), 1.0), (("Ada Quill",), 0.0)])
def test_a_reply_of_ones_own_is_silence(answers: tuple[str, ...], f1_given: float) -> None:
    """What rustqa says itself quotes nothing: right where the article does not say."""
    outcome = judge(LabelledQuestion("Hello!", "chat", (), answers, ()), pipeline().ask("Hello!"))
    assert (outcome.answered, outcome.rank, outcome.confidence) == (False, None, 0)
    assert (outcome.f1_given, outcome.f1_if(True)) == (f1_given, 0)


@pytest.mark.parametrize("own", [False, True])
def test_a_question_is_asked_of_its_own_article_if_it_has_one(own: bool) -> None:
    """With `own`, its article is named; a question on the indexed articles names none."""
    asked = []

    class Listener:
        def ask(
            self,
            question: str,
            history: Sequence[Turn] = (),
            top_k: int = 3,
            documents: Collection[str] | None = None,
        ) -> Answer:
            asked.append(documents)
            return answer_with()

    about = LabelledQuestion("?", "factoid", (), (), (), "harbour")
    general = LabelledQuestion("?", "factoid", (), (), ())
    evaluate([LabelledSet((), (about, general))], lambda _set: Listener(), own)
    assert asked == [["harbour"] if own else None, None]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a small pipeline that is opened without a model."""
    monkeypatch.setattr(evaluate_module, "open_pipeline", lambda _settings: pipeline())
    monkeypatch.setattr(
        evaluate_module, "open_passage_encoder", lambda name, _cache: FakeEncoder(name)
    )
    return Settings(None, tmp_path, "fake", tmp_path, tmp_path, 0.5)


def squad_file(folder: Path) -> Path:
    """Two paragraphs of one article; the second holds the words of a question on the first."""
    contexts = ("Ada sailed. Bo swam.", "Who was it that sailed on the ship? Cy was.")
    answers = (("0", "Who sailed on the ship?", "Ada"), ("1", "Who was?", "Cy"))
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": name,
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.index(answer)}],
                }
            ],
        }
        for context, (name, question, answer) in zip(contexts, answers, strict=True)
    ]
    file = folder / "squad.json"
    file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return file


@pytest.mark.parametrize(("scope", "right"), [("own", True), (None, False), ("together", False)])
def test_squad_as_reading_and_as_search(
    settings: Settings, tmp_path: Path, scope: Scope | None, right: bool
) -> None:
    """A question misled by another paragraph is answered when asked of its own alone."""
    run = evaluate_file(squad_file(tmp_path), settings, scope)
    assert [item.question for item in run.outcomes] == ["0", "1"]
    assert run.outcomes[0].right == right


@pytest.mark.parametrize(("scope", "right"), [("own", True), (None, True), ("together", False)])
def test_articles_alone_and_together(
    settings: Settings, tmp_path: Path, scope: Scope | None, right: bool
) -> None:
    """An article is asked by itself, unless all are put together; then another may mislead."""
    said = [{"p": 0, "text": "Ada"}]
    rows = [
        {
            "title": "A",
            "paragraphs": ["Ada sailed. Bo swam."],
            "qas": [{"q": "Who sailed on the ship?", "kind": "factoid", "answers": said}],
        },
        {"title": "B", "paragraphs": ["Who was it that sailed on the ship? Cy was."], "qas": []},
    ]
    file = tmp_path / "news.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    (result,) = evaluate_file(file, settings, scope).outcomes
    assert (result.question, result.right) == ("Who sailed on the ship?", right)


@pytest.mark.parametrize("scope", ["own", "together", None])
def test_questions_on_indexed_articles_are_asked_of_all(
    settings: Settings, tmp_path: Path, scope: Scope | None
) -> None:
    """Whatever the scope, the index stays as it is."""
    row = {
        "id": "7",
        "question": "Who lost the cherry crop?",
        "kind": "factoid",
        "answers": ["Growers"],
        "support": ["Growers lost"],
    }
    file = tmp_path / "dev.jsonl"
    file.write_text(json.dumps(row))
    (result,) = evaluate_file(file, settings, scope).outcomes
    assert (result.question, result.right_paragraph) == ("7", True)


def test_a_run_says_what_was_measured_and_how(settings: Settings, tmp_path: Path) -> None:
    """File, digest, options, models and threshold stand in it; only the questions listed."""
    file, ids = squad_file(tmp_path), tmp_path / "ids.txt"
    ids.write_text("1\n")
    run = evaluate_file(file, settings, "own", ids)
    assert (run.file, run.threshold) == ("squad.json", 0.5)
    assert run.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert run.options == {"scope": "own", "only": "ids.txt"}
    assert run.model == {"encoder": "fake", "reader": "fake-reader"}
    assert [item.question for item in run.outcomes] == ["1"]
    assert run.report.overall.questions == 1


def test_ids_of_another_file(settings: Settings, tmp_path: Path) -> None:
    """A list that leaves no question is refused by name."""
    ids = tmp_path / "ids.txt"
    ids.write_text("elsewhere\n")
    with pytest.raises(InputError, match=r"ids\.txt: 1 of its ids are not in .*squad\.json"):
        evaluate_file(squad_file(tmp_path), settings, ids=ids)


def test_only_articles_that_a_file_brings_are_encoded(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For questions on the indexed articles no encoder of passages is opened."""

    def refuse(_name: str, _cache: Path) -> FakeEncoder:
        pytest.fail("opened")

    monkeypatch.setattr(evaluate_module, "open_passage_encoder", refuse)
    file = tmp_path / "dev.jsonl"
    row = {"question": "Who?", "kind": "factoid", "answers": ["Ada"], "support": ["Ada Quill"]}
    file.write_text(json.dumps(row))
    assert len(evaluate_file(file, settings).outcomes) == 1
    with pytest.raises(pytest.fail.Exception, match="opened"):
        evaluate_file(squad_file(tmp_path), settings)
