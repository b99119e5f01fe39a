"""What people say of answers: which lines are kept, and how the file is treated."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rustqa.corpus import make_document
from rustqa.errors import FeedbackError, InputError
from rustqa.feedback import FeedbackFile, labelled_line, unique_piece
from rustqa.labelled import read_labelled
from rustqa.pipeline import Pipeline
from rustqa.types import Document, Turn
from web_fixtures import disputed, farm, make_pipeline, town

COST = "What did it cost in pounds?"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """Two articles."""
    return make_pipeline(town(), farm())


def documents_of(pipeline: Pipeline) -> Mapping[str, Document]:
    """The articles by id."""
    return pipeline.store.documents


def test_lines_are_appended_by_any_number_of_threads(tmp_path: Path) -> None:
    """Every line is whole, none is lost, and what was in the file stays."""
    file = tmp_path / "kept.jsonl"
    file.write_text('{"number": -1}\n')
    kept = FeedbackFile(file)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: kept.keep({"number": number, "word": "“x”"}), range(200)))
    numbers = [json.loads(line)["number"] for line in file.read_text().splitlines()]
    assert sorted(numbers) == list(range(-1, 200))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Questions are nobody else's business; the file is there as soon as the server runs."""
    file = tmp_path / "kept.jsonl"
    FeedbackFile(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_full_file_is_left_as_it_is(tmp_path: Path) -> None:
    """A line beyond the limit is refused with what to do; one that just fits is kept."""
    file = tmp_path / "kept.jsonl"
    kept = FeedbackFile(file, limit=20)
    kept.keep({"number": 1234567})
    assert file.stat().st_size == 20
    with pytest.raises(FeedbackError, match=r"reached its 20 bytes; tell who runs this server"):
        kept.keep({})
    assert file.stat().st_size == 20


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be written of a line is taken back."""
    file = tmp_path / "kept.jsonl"
    kept = FeedbackFile(file)
    kept.keep({"number": 1})
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:5]))
    with pytest.raises(FeedbackError, match=r"No space left on device\); .* to make room"):
        kept.keep({"number": 2})
    assert file.read_text() == '{"number": 1}\n'


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A place that cannot be written is refused at the start, one that is lost later, then."""
    with pytest.raises(InputError, match=r"feedback cannot be kept there .* name another"):
        FeedbackFile(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    kept = FeedbackFile(folder / "kept.jsonl")
    (folder / "kept.jsonl").unlink()
    folder.rmdir()
    with pytest.raises(FeedbackError, match="could not be written"):
        kept.keep({})


def test_a_right_answer_is_a_label(pipeline: Pipeline, tmp_path: Path) -> None:
    """Its words and its sentence become the labels; `rustqa eval` reads the line."""
    history = [Turn("Who opened the bridge?", "The mayor")]
    answer = pipeline.ask(COST, history)
    line = labelled_line(answer, history, "right", documents_of(pipeline))
    assert line["kind"] == "feedback"
    assert line["id"].startswith("feedback-")
    assert line["answers"] == ["pounds"]
    assert line["support"] == ["The bridge cost nine million pounds."]
    assert line["history"] == [{"question": "Who opened the bridge?", "answer": "The mayor"}]
    file = tmp_path / "kept.jsonl"
    FeedbackFile(file).keep(line)
    [labelled] = read_labelled(file, documents_of(pipeline))[0].questions
    citation = answer.citations[0]
    assert labelled.question == COST
    assert labelled.history == tuple(history)
    assert labelled.answers == ("pounds",)
    assert labelled.supports("town", citation.answer_start_char, citation.answer_end_char)


def test_only_the_best_claim_is_judged(pipeline: Pipeline) -> None:
    """Lesser claims are not what the answer says; differing accounts all are."""
    answer = pipeline.ask("Who mentions bridge?")
    assert len(answer.claims) > 1
    line = labelled_line(answer, [], "right", documents_of(pipeline))
    assert line["answers"] == [answer.claims[0].text]
    line = labelled_line(disputed(answer), [], "right", documents_of(pipeline))
    assert line["answers"] == [claim.text for claim in answer.claims]
    assert len(line["support"]) == len(answer.claims)


def test_a_right_silence_has_no_answers(pipeline: Pipeline) -> None:
    """That the articles do not say is a label too."""
    answer = pipeline.ask("Who won the cup?")
    line = labelled_line(answer, [], "right", documents_of(pipeline))
    assert line["answers"] == line["support"] == []
    assert "shown" not in line


def test_a_wrong_answer_waits_for_a_person(pipeline: Pipeline) -> None:
    """What is right is not known; what was shown is kept."""
    line = labelled_line(pipeline.ask(COST), [], "wrong", documents_of(pipeline))
    assert line["answers"] is None
    assert line["support"] is None
    sentences = ["The bridge cost nine million pounds."]
    assert line["shown"] == {"answers": ["pounds"], "sentences": sentences}
    silence = labelled_line(pipeline.ask("Who won the cup?"), [], "wrong", documents_of(pipeline))
    assert silence["shown"] == {"answers": [], "sentences": []}


def test_a_repeated_sentence_is_told_apart() -> None:
    """Its piece goes on until it stands nowhere earlier; if it never does, there is none."""
    text = "He paid two pounds. Nobody saw it. He paid two pounds. Everyone saw it."
    document = make_document("twice", text)
    pipeline = make_pipeline(document)
    documents: dict[str, Document] = {"twice": document}
    citation = pipeline.ask(COST).citations[0]
    first = replace(citation, start_char=0, end_char=19)
    assert unique_piece(first, documents) == "He paid two pounds."
    second = replace(citation, start_char=35, end_char=54)
    assert unique_piece(second, documents) == "He paid two pounds. E"
    copies = {"copy": replace(document, id="copy"), **documents}
    assert unique_piece(first, copies) is None


def test_a_right_answer_without_a_piece_waits_too() -> None:
    """Where no piece names the sentence alone, a person has to say which one is meant."""
    twins = [make_document(name, "It cost two pounds.") for name in ("one", "other")]
    pipeline = make_pipeline(*twins)
    answer = pipeline.ask(COST, documents=["other"])
    line: dict[str, Any] = labelled_line(answer, [], "right", documents_of(pipeline))
    assert line["answers"] is None
    assert line["verdict"] == "right"
    assert line["shown"]["answers"] == ["pounds"]
