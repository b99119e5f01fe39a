"""Reader: of several articles, what another says too does not make an answer less sure, and the one
that fits best comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import candidates_of, hashed_scores
from rustqa.corpus import make_document
from rustqa.reader import STANDING, Calibration, SpanReader
from rustqa.types import Reading
from rustqa.windows import Layout

CALIBRATION = Calibration((1, 1, 1), (0.4, 0.4, -1.5))
ROWS = st.lists(st.tuples(*[st.floats(-9, 9)] * 3), min_size=1, max_size=8)


def _read(layout: Layout, *texts: str) -> list[Reading]:
    reader = SpanReader("untaught", layout, hashed_scores, CALIBRATION)
    documents = [make_document(f"a{number}", text) for number, text in enumerate(texts)]
    candidates = [item for document in documents for item in candidates_of(document)]
    return reader.read("Who sails?", candidates, 20)


def test_another_article_that_says_the_same_is_no_rival(layout: Layout) -> None:
    """Each is as sure as it would be alone, though they score alike."""
    text = "Ada Quill sails on Sunday."
    [alone] = _read(layout, text)
    both = _read(layout, text, f"{text}")
    assert [reading.confidence for reading in both] == [alone.confidence] * 2


def test_another_sentence_of_the_article_is_a_rival(layout: Layout) -> None:
    """As the readings were calibrated so, whatever it says."""
    text = "Ada Quill sails on Sunday."
    [alone] = _read(layout, text)
    both = _read(layout, f"{text}\n\n{text}")
    assert max(reading.confidence for reading in both) < alone.confidence


def test_another_article_that_says_otherwise_is_a_rival(layout: Layout) -> None:
    """It makes both less sure."""
    one, other = "Ada Quill sails.", "Tom Reed sails."
    sure = [_read(layout, text)[0].confidence for text in (one, other)]
    assert max(reading.confidence for reading in _read(layout, one, other)) < max(sure)


def test_the_article_that_fits_best_comes_first(layout: Layout) -> None:
    """What stands in another is lowered by its article's standing."""
    reader = SpanReader("untaught", layout, hashed_scores, CALIBRATION)
    documents = [make_document(name, "Ada Quill sails on Sunday.") for name in "ab"]
    [one], [other] = map(candidates_of, documents)
    readings = reader.read("Who sails?", [replace(one, standing=-0.1), other], 2)
    assert [reading.passage.document_id for reading in readings] == ["b", "a"]
    lead = readings[0].scores["reader"] - readings[1].scores["reader"]
    assert lead == pytest.approx(STANDING * 0.1)


@given(ROWS)
def test_without_confirmation_nothing_changes(rows: list[tuple[float, float, float]]) -> None:
    """The order never does; where all confirm each other each is as sure as if alone."""
    plain = CALIBRATION.ranked(rows)
    assert CALIBRATION.ranked(rows, lambda _one, _other: False) == plain
    confirmed = CALIBRATION.ranked(rows, lambda _one, _other: True)
    assert [item.place for item in confirmed] == [item.place for item in plain]
    for item in confirmed:
        [alone] = CALIBRATION.ranked([rows[item.place]])
        assert item.probability == pytest.approx(alone.probability)
