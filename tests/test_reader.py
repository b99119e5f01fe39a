"""Reader: the words that answer, whole and in one sentence, whatever the network says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import HARBOUR, ORCHARD, documents
from rustqa.checksums import sha256_of
from rustqa.corpus import make_document
from rustqa.errors import ReaderError
from rustqa.passages import split_document
from rustqa.reader import Calibration, SpanReader, TokenScores, open_reader
from rustqa.settings import SHIPPED_READER
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


def _candidates(document: Document, score: float = 0.5) -> list[Candidate]:
    return [
        Candidate(
            passage,
            document.text[passage.start : passage.end],
            tuple(Evidence(s, score, score / 2, 0.0, score / 4, 0.0) for s in passage.sentences),
        )
        for passage in split_document(document)
    ]


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


def _random(seed: int) -> Scorer:
    """A network that says anything."""
    chance = np.random.default_rng(seed)
    return lambda window: chance.normal(0, 10, (len(window), 3)).astype(np.float32)


def _read(
    layout: Layout, text: str, score: Scorer, top_k: int = 1, weights: Calibration = SPAN_ALONE
) -> list[Reading]:
    reader = SpanReader("test", layout, score, weights)
    return reader.read("What happened?", _candidates(make_document("d", text)), top_k)


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
    candidates = _candidates(document)
    reader = SpanReader("test", layout, _random(seed), SPAN_ALONE)
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

    [candidate] = _candidates(make_document("d", WEATHER))
    evidence = tuple(Evidence(s, s.start, 0, 0, 0, 0) for s in candidate.passage.sentences)
    candidate = Candidate(candidate.passage, candidate.text, evidence)
    reader = SpanReader("test", layout, score, Calibration(rank, (1, 0, 0)))
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
    assert (
        SpanReader("test", layout, _random(0), SPAN_ALONE).read("How many?", [candidate], 3) == []
    )


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

    return SpanReader("test", layout, score, SPAN_ALONE)


def test_articles_are_read_apart(watched: SpanReader, windows: list[Window]) -> None:
    """The passages of one article share windows in their order, those of two never do."""
    harbour = _candidates(make_document("harbour", HARBOUR))
    orchard = _candidates(make_document("orchard", ORCHARD))
    mixed = [*harbour[::-1], *orchard]
    readings = watched.read("What happened?", [mixed[place] for place in (3, 0, 4, 2, 1)], 20)
    assert len(readings) == sum(len(candidate.evidence) for candidate in mixed)
    assert {reading.passage.document_id for reading in readings} == {"harbour", "orchard"}
    for window, text in zip(windows, (HARBOUR, ORCHARD), strict=True):
        assert (np.diff(window.starts[window.starts >= 0]) > 0).all()
        assert max(window.ends) == len(text)


def test_without_candidates_there_is_nothing_to_read(
    watched: SpanReader, windows: list[Window]
) -> None:
    """No candidate, no reading, and no work."""
    assert watched.read("Why?", [], 3) == []
    assert windows == []


def test_earlier_questions_are_read_too(
    layout: Layout, watched: SpanReader, windows: list[Window]
) -> None:
    """They stand before the question in every window."""
    turns = ("What closed?", "Who closed it?")
    for document in ("harbour", "orchard"):
        watched.read("And why?", _candidates(make_document(document, HARBOUR)), 3, turns)
    asked = layout.asked("And why?", turns)
    assert [window.ids[: len(asked)].tolist() for window in windows] == [asked.tolist()] * 2


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Path) -> Path:
    """A reader's folder, whole but for its network."""
    shutil.copy(tokenizer, tmp_path / "tokenizer.json")
    (tmp_path / "model.onnx").write_bytes(b"no network")
    sums = {name: sha256_of(tmp_path / name) for name in ("model.onnx", "tokenizer.json")}
    described = {"name": "r", "sha256": sums, "rank": [1, 0, 0], "right": [1, 0, 0]}
    (tmp_path / "reader.json").write_text(json.dumps(described))
    return tmp_path


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_refused(folder: Path, name: str) -> None:
    """The error names it and says what to do."""
    with (folder / name).open("ab") as stream:
        stream.write(b"!")
    with pytest.raises(ReaderError, match=rf"\({name} is damaged\); install rustqa anew"):
        open_reader(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "reader.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    """The error names it and says what to do."""
    (folder / name).unlink()
    with pytest.raises(ReaderError, match=rf"cannot be used \(.*{name}.*\); install rustqa anew"):
        open_reader(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"rank": [1, 0]},
        {"rank": None},
        {"right": [1, 0, 0, 0]},
        {"right": ["much", 0, 0]},
        {"sha256": {}},
        {"sha256": None},
    ],
)
def test_a_description_that_lacks_something_is_refused(folder: Path, change: object) -> None:
    """Weights of another number or kind are found out at once, not at the first question."""
    assert isinstance(change, dict)
    file = folder / "reader.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ReaderError, match=r"cannot be used .*; install rustqa anew"):
        open_reader(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", "\udcff"])
def test_a_description_of_another_kind_is_refused(folder: Path, text: str) -> None:
    """What is no JSON object, or not text at all."""
    (folder / "reader.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReaderError, match=r"cannot be used .*; install rustqa anew"):
        open_reader(folder)


@pytest.mark.model
def test_the_shipped_reader_finds_the_words() -> None:
    """It opens, names the person asked for, and is surer of that than of what is not said."""
    reader = open_reader(SHIPPED_READER)
    candidates = _candidates(make_document("harbour", HARBOUR))
    [named] = reader.read("Who is the harbour master?", candidates, 1)
    [unsaid] = reader.read("Who won the chess tournament in Paris?", candidates, 1)
    assert _words([named], HARBOUR) == ["Ada Quill"]
    assert named.confidence > unsaid.confidence
