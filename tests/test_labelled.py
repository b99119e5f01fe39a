"""Labelled questions in their three formats."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fakes import articles
from rustqa.errors import InputError
from rustqa.labelled import merged, read_ids, read_labelled, with_ids

INDEXED = {document.id: document for document in articles()}


def write(tmp_path: Path, *rows: object) -> Path:
    """A file with one JSON value a line."""
    file = tmp_path / "labelled.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_questions_on_indexed_articles(tmp_path: Path) -> None:
    """Support is found in the article that holds it, with its paragraph; history is kept."""
    row = {
        "id": "007", "question": "And when?", "kind": "followup", "answers": ["autumn"],
        "support": ["The growers want money"], "history": [{"question": "Who wants money?"}],
    }  # fmt: skip
    (labelled,) = read_labelled(write(tmp_path, row), INDEXED)
    (question,) = labelled.questions
    (support,) = question.support
    text = INDEXED["orchard"].text
    assert (support.document_id, support.paragraph) == ("orchard", 2)
    assert text[support.start : support.end] == "The growers want money"
    assert question.history[0].question == "Who wants money?"
    assert labelled.documents == ()
    assert (question.id, question.document_id) == ("007", None)


def test_articles_with_their_questions(tmp_path: Path) -> None:
    """Each article is a set; the nth occurrence is counted inside its paragraph."""
    row = {
        "title": "Harbour", "paragraphs": ["Quill spoke.", "Related: More", "Quill met Quill."],
        "qas": [
            {"q": "Who?", "kind": "factoid", "answers": [{"p": 2, "text": "Quill", "nth": 1}]},
            {"q": "Why?", "kind": "unanswerable", "answers": [], "history": ["Who?"]},
        ],
    }  # fmt: skip
    first, second = read_labelled(write(tmp_path, row, row), {})
    (support,) = first.questions[0].support
    assert first.documents[0].text[support.start :] == "Quill."
    assert support.paragraph == 2, "page furniture is not numbered"
    assert first.questions[1].answers == ()
    assert second.documents[0].id != first.documents[0].id
    assert second.questions[0].document_id == second.documents[0].id
    assert second.questions[0].id is None


def test_squad(tmp_path: Path) -> None:
    """All articles of a SQuAD file form one set, and its offsets are kept."""
    paragraph = {
        "context": "It rained. Ada sailed.",
        "qas": [
            {"question": "Who sailed?", "answers": [{"text": "Ada", "answer_start": 11}]},
            {"question": "Who swam?", "answers": []},
        ],
    }
    data = {"data": [{"title": "A", "paragraphs": [paragraph] * 2}] * 2}
    (labelled,) = read_labelled(write(tmp_path, data), {})
    assert len(labelled.documents) == 2
    assert len(labelled.questions) == 8
    support = labelled.questions[2].support[0]
    assert labelled.documents[0].text[support.start : support.end] == "Ada"
    assert labelled.questions[1].kind == "unanswerable"


def test_squad_with_a_line_for_each_question(tmp_path: Path) -> None:
    """Questions on one paragraph share an article; a gzipped file reads as a plain one."""
    rows = [
        {"context": "It rained. Ada sailed.", "question": "Who?", "answers": answers}
        for answers in ([{"text": "Ada", "start": 11}], [])
    ]
    packed = tmp_path / "labelled.jsonl.gz"
    packed.write_bytes(gzip.compress(write(tmp_path, *rows).read_bytes()))
    (labelled,) = read_labelled(packed, {})
    (document,) = labelled.documents
    support = labelled.questions[0].support[0]
    assert document.text[support.start : support.end] == "Ada"
    assert [question.kind for question in labelled.questions] == ["factoid", "unanswerable"]


def test_squad_by_paragraph(tmp_path: Path) -> None:
    """Each paragraph becomes an article, of which its questions are asked; ids are kept."""
    paragraphs = [
        {
            "context": f"{name} sailed.",
            "qas": [
                {"id": n, "question": "?", "answers": [{"text": name, "answer_start": 0}]},
            ],
        }
        for n, name in enumerate(("Ada", "Bo"))
    ]
    data = {"data": [{"title": "A", "paragraphs": paragraphs}]}
    (labelled,) = read_labelled(write(tmp_path, data), {}, by_paragraph=True)
    documents = {document.id: document for document in labelled.documents}
    assert len(documents) == 2
    assert [question.id for question in labelled.questions] == ["0", "1"]
    for question, said in zip(labelled.questions, ("Ada", "Bo"), strict=True):
        (support,) = question.support
        assert support.document_id == question.document_id
        assert documents[support.document_id].text[support.start : support.end] == said
    assert len({question.document_id for question in labelled.questions}) == 2


def test_sets_together(tmp_path: Path) -> None:
    """Merged sets hold all articles and all questions, in their order."""
    rows = [
        {"title": n, "paragraphs": [n], "qas": [{"q": n, "kind": "x", "answers": []}]} for n in "AB"
    ]
    labelled = merged(read_labelled(write(tmp_path, *rows), {}))
    assert [document.title for document in labelled.documents] == ["A", "B"]
    assert [question.question for question in labelled.questions] == ["A", "B"]


def test_questions_with_given_ids(tmp_path: Path) -> None:
    """Only the questions listed stay, all articles of their set with them; empty sets go."""
    rows: list[dict[str, object]] = [
        {"id": name, "context": f"{name} sailed.", "question": "Who?", "answers": []}
        for name in ("Ada", "Bo", "Cy")
    ]
    sets = read_labelled(write(tmp_path, *rows), {})
    ids = tmp_path / "ids.txt"
    ids.write_text("Cy\r\n\n Ada \nnobody\n")
    assert read_ids(ids) == {"Ada", "Cy", "nobody"}
    (labelled,) = with_ids(sets, read_ids(ids))
    assert [question.id for question in labelled.questions] == ["Ada", "Cy"]
    assert len(labelled.documents) == 3
    assert with_ids(sets, {"nobody"}) == []
    with pytest.raises(InputError, match=r"absent\.txt: cannot be read"):
        read_ids(tmp_path / "absent.txt")


def test_questions_without_a_label_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those whose answers are null, such as an answer that somebody found wrong; none is an answer
    too."""
    known: dict[str, object] = {"question": "Who?", "kind": "x", "answers": [], "support": []}
    waiting = {**known, "question": "Why?", "answers": None}
    (labelled,) = read_labelled(write(tmp_path, waiting, known, waiting), INDEXED)
    assert [question.question for question in labelled.questions] == ["Who?"]
    assert caplog.messages == ["2 of 3 questions have no label yet; left out"]
    caplog.clear()
    read_labelled(write(tmp_path, known), INDEXED)
    assert caplog.messages == []
    with pytest.raises(InputError, match="holds no questions; name another file"):
        read_labelled(write(tmp_path, waiting), INDEXED)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [1],
        [{"question": "Who?"}],
        [{"question": "Who?", "kind": "x", "answers": [], "support": ["nowhere"]}],
        [{"title": "A", "paragraphs": [], "qas": []}],
        [{"title": "A", "paragraphs": ["It rained."], "qas": []}],
        [{"context": "It rained.", "question": "?", "answers": [{"text": "a", "start": 99}]}],
        [{"title": "A", "paragraphs": ["It rained."], "qas": [{"answers": [{"p": 3}]}]}],
    ],
)  # fmt: skip
def test_other_files_are_refused_by_name(tmp_path: Path, rows: list[object]) -> None:
    """A file in no known format is named, whatever is wrong in it."""
    with pytest.raises(InputError, match=r"labelled\.jsonl: .*(docs/evaluation.md|no questions)"):
        read_labelled(write(tmp_path, *rows), INDEXED)
