"""The reader's folder: what is in it is checked, and the shipped one reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fakes import HARBOUR, ORCHARD, candidates_of
from rustqa.checksums import sha256_of
from rustqa.corpus import make_document
from rustqa.errors import ReaderError
from rustqa.reader import OnnxScores, open_reader
from rustqa.settings import SHIPPED_READER
from rustqa.windows import Layout


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
    with pytest.raises(ReaderError, match=rf"{name} is damaged \(.*\); install rustqa anew"):
        open_reader(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "reader.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    """The error names it and says what to do."""
    (folder / name).unlink()
    with pytest.raises(ReaderError, match=rf"{name} is missing; install rustqa anew"):
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
    with pytest.raises(ReaderError, match=r"reader.json is damaged .*; install rustqa anew"):
        open_reader(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", "\udcff"])
def test_a_description_of_another_kind_is_refused(folder: Path, text: str) -> None:
    """What is no JSON object, or not text at all."""
    (folder / "reader.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReaderError, match=r"reader.json is damaged .*; install rustqa anew"):
        open_reader(folder)


@pytest.mark.model
def test_the_shipped_reader_finds_the_words() -> None:
    """It opens, names the person asked for, and is surer of that than of what is not said."""
    reader = open_reader(SHIPPED_READER)
    candidates = candidates_of(make_document("harbour", HARBOUR))
    [named] = reader.read("Who is the harbour master?", candidates, 1)
    [unsaid] = reader.read("Who won the chess tournament in Paris?", candidates, 1)
    assert HARBOUR[slice(*named.answer)] == "Ada Quill"
    assert named.confidence > unsaid.confidence


@pytest.mark.model
def test_a_windows_scores_do_not_depend_on_what_is_read_beside_it(layout: Layout) -> None:
    """To the last bit, from the file or from what it holds; the first token's are 0."""
    windows = [
        layout.windows(layout.asked(question), [layout.tokens(text * times, 0, [])])[0]
        for question in ("Who is the harbour master?", "Why?")
        for text in (HARBOUR, ORCHARD)
        for times in (1, 3)
    ]
    network = SHIPPED_READER / "model.onnx"
    scores, held = OnnxScores(network), OnnxScores(network.read_bytes())
    together = scores(windows)
    for window, found in zip(windows, together, strict=True):
        assert found.shape == (len(window), 3)
        assert not found[0].any()
        assert np.array_equal(found, scores([window])[0])
    assert all(map(np.array_equal, held(windows[::-1]), together[::-1]))
    assert scores([]) == []
