"""Reader: the words that answer, whole and in one sentence, whatever the network says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import HARBOUR, ORCHARD, candidates_of, documents, hashed_scores
from rustqa.corpus import make_document
from rustqa.reader import Calibration, SpanReader, TokenScores
from rustqa.types import Candidate, Document, Evidence, Passage, Reading, Span
from rustqa.windows import Layout, Window

Scorer = Callable[[Window], TokenScores]

SPAN_ALONE = Calibration(rank=(1, 0, 0), right=(1, 0, 0))
WEATHER = "It rained. It froze. It snowed."
TRICKY = (
    "Ann O\N{RIGHT SINGLE QUOTATION MARK}Neill didn't pay £412,000 or 1.5m by 19:30 at the "
    "re\N{COMBINING ACUTE ACCENT}sume\N{COMBINING ACUTE ACCENT}s har\N{SOFT HYPHEN}bours "
    "unquestionableness of JOHN's."
)
TRICKY_WORDS = TRICKY.rstrip(".").replace("£", "").removesuffix("'s").split()


def _marking(text: str, *marks: tuple[str, float]) -> Scorer:
    """A network that is so sure of these words, by their first and last token, and of no other."""

    def score(window: Window) -> TokenScores:
        scores = np.zeros((len(window), 3), np.float32)
        for words, strength in marks:
            start = text.index(words)
            scores[window.starts == start, 0] = strength
            scores[window.ends == start + len(words), 1] = strength
        return scores

    return score


def _reader(layout: Layout, score: Scorer, weights: Calibration = SPAN_ALONE) -> SpanReader:
    """A reader whose network scores each window by itself."""
    return SpanReader("test", layout, lambda windows: list(map(score, windows)), weights)


def _random(seed: int) -> Scorer:
    """A network that says anything."""
    chance = np.random.default_rng(seed)
    return lambda window: chance.normal(0, 10, (len(window), 3)).astype(np.float32)


def _read(
    layout: Layout, text: str, score: Scorer, top_k: int = 1, weights: Calibration = SPAN_ALONE
) -> list[Reading]:
    candidates = candidates_of(make_document("d", text))
    return _reader(layout, score, weights).read("What happened?", candidates, top_k)


def _words(readings: Sequence[Reading], text: str) -> list[str]:
    return [text[reading.answer.start : reading.answer.end] for reading in readings]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HARBOUR, "a crack in the east wall"),
        (HARBOUR, "Saltby"),
        (HARBOUR, "The council"),
        (HARBOUR, "“Nobody will sail before the wall is mended,”"),
        (HARBOUR, "The work costs two million pounds."),
        ("It cost £412,000 in 2019.", "£412,000"),
        ("The judge’s car was gone.", "The judge’s car"),
        ("The judge’s car was gone.", "judge"),
        ("It was Sue's.", "Sue"),
        ("He ate 他说 twice.", "他说"),
    ],
)
def test_the_words_that_the_network_marks_are_read(layout: Layout, text: str, words: str) -> None:
    """From the first marked token to the last; an answer may end before a possessive s."""
    assert _words(_read(layout, text, _marking(text, (words, 9.0))), text) == [words]


@pytest.mark.parametrize(
    ("text", "marked", "words"),
    [
        ("It closed, the council said, at once.", ", the council said,", "the council said"),
        ("It closed \N{EM DASH} at last \N{EM DASH} for good.", "\N{EM DASH} at last", "at last"),
        ("It closed, at last.", ",", ","),
        ("He sat in the cafe\N{COMBINING ACUTE ACCENT}.", "the cafe", "the cafe\u0301"),
        ("It was \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} it.", "\u2764", "\u2764\ufe0f"),
    ],
)
def test_the_ends_of_an_answer_are_tidied(
    layout: Layout, text: str, marked: str, words: str
) -> None:
    """Loose punctuation is left out, unless there is nothing else; a letter keeps its accents."""
    assert _words(_read(layout, text, _marking(text, (marked, 9.0))), text) == [words]


@given(st.integers(0, 2**32))
def test_only_whole_words_are_read(layout: Layout, seed: int) -> None:
    """No name, number or word with an accent or a soft hyphen in it is cut, whatever is marked."""
    [reading] = _read(layout, TRICKY, _random(seed))
    start, end = reading.answer
    for word in TRICKY_WORDS:
        first = TRICKY.index(word)
        last = first + len(word)
        assert not first < start < last
        assert not first < end < last
    assert not TRICKY[start:end].startswith(("'s", "s."))


@given(documents(), st.integers(0, 2**32), st.integers(1, 20))
def test_every_answer_is_a_stretch_of_one_sentence(
    layout: Layout, document: Document, seed: int, top_k: int
) -> None:
    """Whatever the text and the scores, and each answer comes from another sentence."""
    candidates = candidates_of(document)
    reader = _reader(layout, _random(seed))
    readings = reader.read("Why?", candidates, top_k)
    assert 1 <= len(readings) <= top_k
    assert len({reading.sentence for reading in readings}) == len(readings)
    for reading in readings:
        assert reading.sentence in reading.passage.sentences
        assert reading.sentence.start <= reading.answer.start < reading.answer.end
        assert reading.answer.end <= reading.sentence.end
        assert document.text[slice(*reading.answer)].strip()


def test_an_answer_does_not_run_on_into_the_next_sentence(layout: Layout) -> None:
    """Where the start is marked in one sentence and the end in another, each is read by itself."""
    score = _marking(WEATHER, ("rained. It froze", 9.0))
    assert _words(_read(layout, WEATHER, score, 2), WEATHER) == ["rained", "It froze"]


@given(st.permutations([("rained", 3.0), ("froze", 2.0), ("snowed", 1.0)]), st.integers(1, 5))
def test_readings_come_best_first(
    layout: Layout, marks: list[tuple[str, float]], top_k: int
) -> None:
    """At most `top_k`, one from each sentence, with falling confidence."""
    text = f"It {marks[0][0]}. It {marks[1][0]}. It {marks[2][0]}."
    readings = _read(layout, text, _marking(text, *marks), top_k)
    assert _words(readings, text) == ["rained", "froze", "snowed"][:top_k]
    confidences = [reading.confidence for reading in readings]
    assert confidences == sorted(confidences, reverse=True)


def test_a_reading_says_what_it_was_ranked_by(layout: Layout) -> None:
    """The best sentence's own evidence, and the score that joins it with the network's."""

    def score(window: Window) -> TokenScores:
        scores = _marking("It rained.", ("rained", 4.0))(window)
        scores[:, 2] = 2
        return scores

    weights = Calibration(rank=(1.0, 10.0, 100.0), right=(0, 0, 0))
    [reading] = _read(layout, "It rained.", score, 1, weights)
    assert reading.scores == {"dense": 0.25, "bm25": 0.125, "reader": 4 + 20 + 50}


@pytest.mark.parametrize(
    ("rank", "first"), [((1, 0, 0), "rained"), ((0, 1, 0), "froze"), ((0, 0, 1), "snowed")]
)
def test_the_calibration_ranks(
    layout: Layout, rank: tuple[float, float, float], first: str
) -> None:
    """By the span, by its sentence or by the retriever's evidence, as the weights say."""

    def score(window: Window) -> TokenScores:
        scores = _marking(WEATHER, ("rained", 3.0), ("froze", 2.0), ("snowed", 1.0))(window)
        scores[:, 2] = window.sentences == 1
        return scores

    [candidate] = candidates_of(make_document("d", WEATHER))
    evidence = tuple(Evidence(s, s.start, 0, 0, 0, 0) for s in candidate.passage.sentences)
    candidate = Candidate(candidate.passage, candidate.text, evidence)
    reader = _reader(layout, score, Calibration(rank, (1, 0, 0)))
    assert _words(reader.read("What?", [candidate], 1), WEATHER) == [first]


@pytest.mark.parametrize(
    ("right", "confidences"),
    [
        ((0.0, 0.0, 0.0), [0.5, 0.5, 0.5]),
        ((1.0, 0.0, 0.0), [0.953, 0.881, 0.731]),
        ((0.0, 1.0, 0.0), [0.731, 0.269, 0.119]),
        ((1.0, 1.0, -3.0), [0.731, 0.119, 0.018]),
        ((1e9, 0.0, 0.0), [1.0, 1.0, 1.0]),
        ((-1e9, 0.0, 0.0), [0.0, 0.0, 0.0]),
    ],
)
def test_the_calibration_makes_probabilities(
    layout: Layout, right: tuple[float, float, float], confidences: list[float]
) -> None:
    """The logistic function of the weighed score, lead and constant, for each reading."""
    marks = _marking(WEATHER, ("rained", 3.0), ("froze", 2.0), ("snowed", 1.0))
    readings = _read(layout, WEATHER, marks, 3, Calibration((1, 0, 0), right))
    assert [round(reading.confidence, 3) for reading in readings] == confidences


@pytest.mark.parametrize(
    ("scores", "leads"),
    [
        ([3.0, 1.0, 2.0], [1.0, -2.0, -1.0]),
        ([2.0, 2.0], [0.0, 0.0]),
        ([50.0, 1.0], [10.0, -10.0]),
        ([-7.0], [10.0]),
    ],
)
def test_a_lead_is_over_the_best_other(scores: list[float], leads: list[float]) -> None:
    """Positive for the best alone, and never more than what it can mean."""
    ranked = Calibration((1, 0, 0), (1, 0, 0)).ranked([(score, 0, 0) for score in scores])
    assert [one.lead for one in sorted(ranked)] == leads


def test_a_sentence_longer_than_a_window_is_read_to_its_end(layout: Layout) -> None:
    """It is judged once, by its better part."""
    text = f"There was {'frost and ' * 400}a thaw by Monday."
    readings = _read(layout, text, _marking(text, ("Monday", 9.0)), 3)
    assert _words(readings, text) == ["Monday"]


def test_a_sentence_without_a_whole_word_is_not_read(layout: Layout) -> None:
    """Where windows cut an endless number, none of its parts is an answer."""
    text = "1" + ",000" * 600
    whole = Span(0, len(text))
    passage = Passage("d", 1, *whole, (whole,))
    candidate = Candidate(passage, text, (Evidence(whole, 1, 1, 1, 1, 1),))
    assert _reader(layout, _random(0)).read("How many?", [candidate], 3) == []


@pytest.fixture
def windows() -> list[Window]:
    """What the network was given to read, in the test `given`."""
    return []


@pytest.fixture
def watched(layout: Layout, windows: list[Window]) -> SpanReader:
    """A reader that records its windows."""

    def score(window: Window) -> TokenScores:
        windows.append(window)
        return np.zeros((len(window), 3), np.float32)

    return _reader(layout, score)


def test_articles_are_read_apart(watched: SpanReader, windows: list[Window]) -> None:
    """The passages of one article share windows in their order, those of two never do."""
    harbour = candidates_of(make_document("harbour", HARBOUR))
    orchard = candidates_of(make_document("orchard", ORCHARD))
    mixed = [*harbour[::-1], *orchard]
    readings = watched.read("What happened?", [mixed[place] for place in (3, 0, 4, 2, 1)], 20)
    assert len(readings) == sum(len(candidate.evidence) for candidate in mixed)
    assert {reading.passage.document_id for reading in readings} == {"harbour", "orchard"}
    for window, text in zip(windows, (HARBOUR, ORCHARD), strict=True):
        assert (np.diff(window.starts[window.starts >= 0]) > 0).all()
        assert max(window.ends) == len(text)


def test_all_windows_are_read_at_once(layout: Layout) -> None:
    """Of every article and behind every context, so that they share the processors."""
    calls = []

    def score(windows: Sequence[Window]) -> list[TokenScores]:
        calls.append(len(windows))
        return [np.zeros((len(window), 3), np.float32) for window in windows]

    documents = (make_document("harbour", HARBOUR), make_document("orchard", ORCHARD))
    candidates = [item for document in documents for item in candidates_of(document)]
    reader = SpanReader("test", layout, score, SPAN_ALONE)
    reader.read("And why?", candidates, 3, [(), ("Who closed it?",), ("Ada",)])
    assert calls == [6]


@given(st.lists(documents(), min_size=2, max_size=4), st.permutations(["Why?", "Who?", "Why?"]))
def test_what_was_read_before_changes_nothing(
    layout: Layout, read: list[Document], questions: list[str]
) -> None:
    """Nor does the same text elsewhere, asked for a reason or not."""
    kept = SpanReader("test", layout, hashed_scores, SPAN_ALONE)
    shifted = [make_document("shifted", f"It froze.\n\n{document.text}") for document in read]
    for question in questions:
        for document in (*read, *shifted):
            fresh = SpanReader("test", layout, hashed_scores, SPAN_ALONE)
            asked = question, candidates_of(document), 20
            assert kept.read(*asked) == fresh.read(*asked)


def test_without_candidates_there_is_nothing_to_read(
    watched: SpanReader, windows: list[Window]
) -> None:
    """No candidate, no reading, and no work."""
    assert watched.read("Why?", [], 3) == []
    assert windows == []


def test_what_was_said_before_is_read_too(
    layout: Layout, watched: SpanReader, windows: list[Window]
) -> None:
    """Each context stands before the question in every window of a reading of its own."""
    contexts = [(), ("What closed?", "Who closed it?"), ("The council",)]
    documents = (make_document("harbour", HARBOUR), make_document("orchard", ORCHARD))
    candidates = [item for document in documents for item in candidates_of(document)]
    watched.read("And why?", candidates, 3, contexts)
    asked = [layout.asked("And why?", context).tolist() for context in contexts for _ in documents]
    found = [window.ids[: len(ids)].tolist() for window, ids in zip(windows, asked, strict=True)]
    assert found == asked


def _hearing(layout: Layout, text: str, *marks: tuple[str, float, float]) -> Scorer:
    """A network that is so sure of these words, and of all sentences, by the words said before the
    question, of which there are none, one and so on."""
    bare = len(layout.asked("And why?"))

    def score(window: Window) -> TokenScores:
        # A context of a word adds the word and what parts it from the question.
        words, strength, sentence = marks[(int((window.types == 0).sum()) - bare) // 2]
        scores = _marking(text, (words, strength))(window)
        scores[:, 2] = sentence
        return scores

    return score


def test_scores_are_averaged_over_what_was_said_before(layout: Layout) -> None:
    """Of each sentence the span's and the sentence's; the words are those it was surest of."""
    text = "It closed on Monday."
    score = _hearing(layout, text, ("Monday", 2.0, 4.0), ("on Monday", 4.0, 1.0))
    candidates = candidates_of(make_document("d", text))
    reader = _reader(layout, score, Calibration((1, 10, 0), (1, 0, 0)))
    for contexts, words, span, sentence in (
        ([()], "Monday", 2.0, 4.0),
        ([("closed",)], "on Monday", 4.0, 1.0),
        ([(), ("closed",)], "on Monday", 3.0, 2.5),
        ([("closed",), ()], "on Monday", 3.0, 2.5),
    ):
        [judged] = reader.judge_all("And why?", candidates, contexts)
        assert (judged.span_score, judged.sentence_score) == pytest.approx((span, sentence))
        assert text[slice(*judged.answer)] == words
        [reading] = reader.read("And why?", candidates, 3, contexts)
        assert reading.answer == judged.answer
        assert reading.scores["reader"] == pytest.approx(span + 10 * sentence)


def test_each_sentence_is_read_once(layout: Layout) -> None:
    """However many contexts there are, and whatever they are."""
    candidates = candidates_of(make_document("d", HARBOUR))
    reader = _reader(layout, _random(0))
    contexts = [(), ("What closed?",), ("long " * 500, "words " * 500)]
    readings = reader.read("And why?", candidates, 20, contexts)
    sentences = [reading.sentence for reading in readings]
    assert sorted(sentences) == [item for c in candidates for item in c.passage.sentences]


DISMISSED = "The judge dismissed the case, resulting in relief, on Friday."


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What happened?", "relief"),
        ("Why was the case dismissed?", "on Friday"),
        ("How come the case was dismissed?", "on Friday"),
        ("What were the reasons?", "on Friday"),
    ],
)
def test_no_reason_starts_in_a_consequence(layout: Layout, question: str, words: str) -> None:
    """What came of it does not say why; after it and before it a reason may stand."""
    score = _marking(DISMISSED, ("relief", 9.0), ("on Friday", 5.0))
    reader = _reader(layout, score)
    readings = reader.read(question, candidates_of(make_document("d", DISMISSED)), 3)
    assert _words(readings, DISMISSED) == [words]


def test_a_sentence_is_not_chosen_for_what_cannot_be_a_reason(layout: Layout) -> None:
    """Where its consequence was what made it right, its other words must do so themselves."""

    def score(window: Window) -> TokenScores:
        scores = _marking(DISMISSED, ("relief", 9.0), ("on Friday", 5.0))(window)
        scores[:, 2] = 7.0
        return scores

    candidates = candidates_of(make_document("d", DISMISSED))
    reader = _reader(layout, score)
    for question, sentence in (("What happened?", 7.0), ("Why was it dismissed?", 5.0)):
        [judged] = reader.judge_all(question, candidates, [()])
        assert judged.sentence_score == sentence
