"""The reader's network: BERT with three scores a token, for the answer's start, its end, and
whether the token's sentence holds it.

Scores are relative to the window's [CLS], which stands for "not here" (Devlin et al. 2019), and
all windows of a question share one softmax with it (shared normalisation, Clark and Gardner
2018), so that scores compare across windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, BertModel

from rustqa.training.data import Example
from rustqa.windows import Window

# What the sentences' share in the loss is worth beside the span's.
_SENTENCE_SHARE = 0.5
# What is taken from an attention weight's logarithm leaves nothing of it.
_FAR = 1e4


class SpanModel(nn.Module):
    """The network; `bert` is initialised from the encoder's weights."""

    def __init__(self, folder: Path) -> None:
        """Loads the encoder's weights from its folder."""
        super().__init__()
        AttentionInterface.register("scaled_first", _attention)
        self.bert = BertModel.from_pretrained(
            folder, attn_implementation="scaled_first", add_pooling_layer=False
        )
        self.scores = nn.Linear(self.bert.config.hidden_size, 3)
        # Words that training never shows keep their meaning, and a third of the work is saved.
        self.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        for module in self.modules():
            # In few passes over many questions nothing is learnt by heart.
            if isinstance(module, nn.Dropout):
                module.p = 0.0

    def forward(self, ids: Tensor, mask: Tensor | None, types: Tensor) -> Tensor:
        """Scores of shape (windows, tokens, 3) relative to each window's first token."""
        # A mask of other than four dimensions is not handed on to an attention of one's own.
        bias = None if mask is None else (mask[:, None, None] - 1.0) * _FAR
        hidden = self.bert(input_ids=ids, attention_mask=bias, token_type_ids=types)
        scores: Tensor = self.scores(hidden.last_hidden_state).float()
        relative: Tensor = scores - scores[:, :1]
        return relative


def padded(windows: Sequence[Window], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """The windows' ids, mask and types, each of shape (windows, tokens of the longest)."""
    shape = (len(windows), max(map(len, windows)))
    ids, mask, types = np.full(shape, pad), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window.ids
        mask[row, : len(window)] = 1
        types[row, : len(window)] = window.types
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(types)


def loss(model: SpanModel, examples: Sequence[Example], pad: int) -> Tensor:
    """The mean loss of the examples."""
    windows = [window for example in examples for window in example.windows]
    scores = model(*padded(windows, pad))
    total = scores.new_zeros(())
    row = 0
    for example in examples:
        total = total + _example_loss(scores[row : row + len(example.windows)], example)
        row += len(example.windows)
    mean: Tensor = total / len(examples)
    return mean


def _example_loss(scores: Tensor, example: Example) -> Tensor:
    """Of scores of shape (windows, tokens, 3)."""
    inside, starts, ends, sentences, wanted = [], [], [], [], []
    for place, (window, target) in enumerate(zip(example.windows, example.targets, strict=True)):
        held = np.flatnonzero(window.passages >= 0)
        inside.append(scores[place, held])
        starts.append(scores[place, target.starts, 0])
        ends.append(scores[place, target.ends, 1])
        keys = np.stack([window.passages[held], window.sentences[held]], axis=1)
        unique, numbers = np.unique(keys, axis=0, return_inverse=True)
        counts = torch.from_numpy(np.bincount(numbers)).float()
        sums = scores.new_zeros(len(unique)).index_add(
            0, torch.from_numpy(numbers.ravel()), scores[place, held, 2]
        )
        means = sums / counts
        sentences.append(means)
        wanted += [
            means[number]
            for number, (passage, sentence) in enumerate(unique.tolist())
            if (passage, sentence) in target.sentences
        ]
    everything = torch.cat(inside)
    start = _surprise(everything[:, 0], torch.cat(starts))
    end = _surprise(everything[:, 1], torch.cat(ends))
    null = scores.new_zeros(1)
    # Each sentence that holds an answer is to be found, not only one of them.
    mean = torch.stack(wanted).mean() if wanted else null[0]
    sentence = torch.logsumexp(torch.cat([*sentences, null]), 0) - mean
    return (start + end) / 2 + _SENTENCE_SHARE * sentence


def _surprise(scores: Tensor, right: Tensor) -> Tensor:
    """Minus the log of the share of the right ones, or of "not here" (score 0) if none is."""
    null = scores.new_zeros(1)
    return torch.logsumexp(torch.cat([scores, null]), 0) - (
        torch.logsumexp(right, 0) if len(right) else null[0]
    )


def _attention(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float,
    **_: object,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention, scaled where it costs least on a CPU: in the query."""
    weights = torch.matmul(query * scaling, key.transpose(2, 3))
    if mask is not None:
        weights = weights + mask
    return torch.matmul(torch.softmax(weights, -1), value).transpose(1, 2).contiguous(), None
