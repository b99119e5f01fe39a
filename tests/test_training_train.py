"""Training: what the loss rewards, and the whole chain from a labelled file to a reader."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fakes import FakeEncoder
from rustqa.corpus import make_document
from rustqa.encoder import PACKAGED, model_folder
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.reader import OnnxScores, open_reader
from rustqa.training import export, train
from rustqa.training.data import Articles, Example, target
from rustqa.training.model import SpanModel, loss
from rustqa.types import Span
from rustqa.windows import Layout, Window
from training_fixtures import write_news

pytestmark = pytest.mark.model

TEXT = "It froze on Monday. It rained on Friday."
SENTENCES = [Span(0, 19), Span(20, 40)]


def _example(layout: Layout, *answers: Span, windows: int = 1) -> Example:
    """The text, in each window, with these answers in the first alone."""
    asked = layout.asked("When?")
    [window] = layout.windows(asked, [layout.tokens(TEXT, 0, SENTENCES)])
    targets = [target(window, answers if number == 0 else ()) for number in range(windows)]
    return Example((window,) * windows, tuple(targets))


class Fixed(nn.Module):
    """A network that is so sure of one place in the first window, and of no other."""

    def __init__(self, start: int, end: int, sentence: int, strength: float) -> None:
        super().__init__()
        self.places = (start, end, sentence)
        self.strength = strength

    def forward(self, windows: Sequence[Window]) -> list[Tensor]:
        """Of each window scores of shape (tokens, 3)."""
        scores = [torch.zeros((len(window), 3)) for window in windows]
        start, end, sentence = self.places
        # After "[CLS] when ? [SEP]", each sentence has five tokens.
        scores[0][4 + start, 0] = scores[0][4 + end, 1] = self.strength
        scores[0][4 + 5 * sentence : 9 + 5 * sentence, 2] = self.strength
        return scores


def _loss(example: Example, start: int, end: int, sentence: int, strength: float = 3.0) -> float:
    network = cast(SpanModel, Fixed(start, end, sentence, strength))
    return loss(network, [example]).item()


@pytest.mark.parametrize("windows", [1, 2])
def test_right_scores_cost_less_than_wrong_ones(layout: Layout, windows: int) -> None:
    """In start, end and sentence alike, and the surer the less."""
    example = _example(layout, Span(9, 18), windows=windows)
    right = _loss(example, 2, 3, 0)
    assert _loss(example, 2, 3, 0, 6.0) < right
    assert right < _loss(example, 2, 3, 0, 0.0)
    for wrong in ((1, 3, 0), (2, 4, 0), (2, 3, 1)):
        assert right < _loss(example, *wrong)


def test_each_of_several_answers_is_right(layout: Layout) -> None:
    """Whichever is marked costs the same, and less than a third place."""
    example = _example(layout, Span(9, 18), Span(30, 39))
    assert _loss(example, 2, 3, 0) == pytest.approx(_loss(example, 7, 8, 1))
    assert _loss(example, 2, 3, 0) < _loss(example, 1, 1, 0)


def test_where_nothing_answers_silence_is_right(layout: Layout) -> None:
    """Scores below that of "not here" cost least, and sure ones most."""
    example = _example(layout)
    costs = [_loss(example, 2, 3, 0, strength) for strength in (-9.0, -3.0, 0.0, 3.0, 9.0)]
    assert costs == sorted(costs)


def test_the_loss_has_the_value_it_is_said_to_have(layout: Layout) -> None:
    """With equal scores: a uniform choice of ten tokens and none, and of two sentences and none."""
    expected = np.log(11) + 0.5 * np.log(3)
    assert _loss(_example(layout, Span(9, 18)), 2, 3, 0, 0.0) == pytest.approx(expected)
    assert _loss(_example(layout), 2, 3, 0, 0.0) == pytest.approx(expected)
    both = np.log(21) + 0.5 * np.log(5)
    assert _loss(_example(layout, Span(9, 18), windows=2), 2, 3, 0, 0.0) == pytest.approx(both)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the chain leaves its files."""
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def options(folder: Path) -> list[str]:
    """Those of a run of a few steps."""
    few = ["--passes", "0.5", "--tokens", "1000", "--rate", "5e-4"]
    return ["--then", str(write_news(folder)), *few, "--out", str(folder / "run")]


@pytest.fixture(scope="module")
def trained(folder: Path, options: list[str]) -> SpanModel:
    """The network after such a run."""
    assert train.main(options) == 0
    return _restored(folder / "run")


def _restored(run: Path) -> SpanModel:
    model = SpanModel(model_folder(PACKAGED)).eval()
    model.load_state_dict(torch.load(run / train.CHECKPOINT, weights_only=True)["model"])
    return model


@pytest.fixture(scope="module")
def exported(folder: Path, trained: SpanModel) -> Path:
    """The folder of its exports."""
    assert export.main([str(folder / "run"), "--to", str(folder / "exported"), "--name", "r"]) == 0
    return folder / "exported"


def test_training_lowers_the_loss(trained: SpanModel, layout: Layout, folder: Path) -> None:
    """A few steps help, and leave the vectors of the words as they were."""
    torch.manual_seed(0)
    fresh = SpanModel(model_folder(PACKAGED)).eval()
    articles = Articles(folder / "news.jsonl", layout)
    examples = [articles.plain(item) for item in articles.items[:16]]
    with torch.no_grad():
        before, after = (loss(model, examples).item() for model in (fresh, trained))
    assert after < before - 0.2
    words = [model.bert.embeddings.word_embeddings.weight for model in (fresh, trained)]
    assert torch.equal(*words)


def test_a_window_is_scored_alike_beside_a_longer_one(trained: SpanModel, layout: Layout) -> None:
    """Windows of a batch do not see each other."""
    asked = layout.asked("When?")
    [short] = layout.windows(asked, [layout.tokens(TEXT, 0, SENTENCES)])
    [long] = layout.windows(asked, [layout.tokens(TEXT * 9, 0, SENTENCES)])
    with torch.no_grad():
        [alone] = trained([short])
        _, beside = trained([long, short])
    assert alone.abs().max() > 0.1
    assert torch.allclose(alone, beside, atol=1e-4)


@pytest.mark.usefixtures("trained")
def test_a_finished_run_has_nothing_left_to_do(
    folder: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again, it takes no step."""
    before = torch.load(folder / "run" / train.CHECKPOINT, weights_only=True)
    monkeypatch.setattr(train, "loss", lambda *_: pytest.fail("a step was taken"))
    assert train.main(options) == 0
    after = torch.load(folder / "run" / train.CHECKPOINT, weights_only=True)
    assert after["step"] == before["step"] == before["steps"] > 0
    assert all(torch.equal(value, before["model"][key]) for key, value in after["model"].items())


@pytest.mark.usefixtures("trained")
def test_other_options_on_a_run_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the checkpoint and says what to do."""
    assert train.main([*options, "--seed", "1"]) == 2
    assert "is of a run with other options; name another --out" in capsys.readouterr().err


def test_a_stopped_run_goes_on_where_it_was(
    folder: Path, options: list[str], trained: SpanModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as if it had not been stopped."""
    options = [*options[:-1], str(folder / "stopped"), "--minutes", "0"]

    def stopping() -> Iterator[None]:
        yield from (None, None)
        raise KeyboardInterrupt

    step = stopping()

    def stopped(model: SpanModel, examples: list[Example]) -> Tensor:
        next(step)
        return loss(model, examples)

    with monkeypatch.context() as patch:
        patch.setattr(train, "loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            train.main(options)
    state = torch.load(folder / "stopped" / train.CHECKPOINT, weights_only=True)
    assert state["step"] == 2
    assert train.main(options) == 0
    expected = trained.state_dict()
    resumed = _restored(folder / "stopped").state_dict()
    assert all(torch.allclose(expected[key], resumed[key], atol=1e-5) for key in expected)


@pytest.mark.usefixtures("trained")
def test_a_run_goes_on_from_another(folder: Path, options: list[str]) -> None:
    """It starts with that run's weights: without a step it ends with them."""
    out, before = folder / "further", folder / "run"
    further = [*options[:2], "--passes", "0", "--go-on-from", str(before), "--out", str(out)]
    assert train.main(further) == 0
    old, new = (torch.load(run / train.CHECKPOINT, weights_only=True) for run in (before, out))
    assert new["step"] == new["steps"] == 0
    assert all(torch.equal(value, old["model"][key]) for key, value in new["model"].items())


def test_a_run_cannot_go_on_from_nothing(
    folder: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the checkpoint that is not there, and says what to do."""
    missing = ["--go-on-from", str(folder / "nowhere"), "--out", str(folder / "other")]
    assert train.main([*options[:2], *missing]) == 2
    shown = capsys.readouterr().err
    assert "nowhere/checkpoint.pt" in shown
    assert "name the --out folder of a training run" in shown


def test_kinds_are_those_of_the_later_questions(
    options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """General questions are of all kinds."""
    read = []

    class Recorded(Articles):
        def __init__(self, file: Path, layout: Layout, kinds: Collection[str] = ()) -> None:
            super().__init__(file, layout, kinds)
            read.append((list(kinds), {item.kind for item in self.items}))

    monkeypatch.setattr(train, "Articles", Recorded)
    monkeypatch.setattr(train, "planned", lambda *_: pytest.fail("read"))
    with pytest.raises(pytest.fail.Exception, match="read"):
        train.main([*options, "--first", options[1], "--kinds", "who", "followup"])
    assert read[0][0] == []
    assert len(read[0][1]) > 2
    assert read[1] == (["who", "followup"], {"who", "followup"})


def test_an_unknown_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a line, not with a traceback."""
    missing = str(tmp_path / "none.jsonl")
    assert train.main(["--then", missing, "--out", str(tmp_path / "run")]) == 2
    assert "none.jsonl: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_export_scores_as_the_network_does(
    exported: Path, trained: SpanModel, layout: Layout
) -> None:
    """In float32 to a thousandth, in eight bits nearly, at a length other than was traced."""
    [window] = layout.windows(layout.asked("When?"), [layout.tokens(TEXT, 0, SENTENCES)])
    with torch.no_grad():
        expected = trained([window])[0].numpy()
    plain, small = (OnnxScores(exported / kind / "model.onnx") for kind in ("fp32", "int8"))
    assert np.allclose(plain([window])[0], expected, atol=1e-3)
    assert np.abs(small([window])[0] - expected).max() < 0.2 * np.abs(expected).max()
    sizes = [os.path.getsize(exported / kind / "model.onnx") for kind in ("int8", "fp32")]
    assert 3 * sizes[0] < sizes[1]


@pytest.mark.parametrize("kind", ["fp32", "int8"])
def test_an_exported_reader_reads(exported: Path, kind: str) -> None:
    """Both folders open, and answer with words of the article."""
    reader = open_reader(exported / kind)
    assert json.loads((exported / kind / "reader.json").read_text())["name"] == reader.name == "r"
    encoder = FakeEncoder()
    store = build_in_memory([make_document("d", TEXT)], encoder)
    answer = Pipeline(store, encoder, reader, 0.0).ask("When did it freeze?")
    assert answer.answer is not None
    assert answer.answer in TEXT
