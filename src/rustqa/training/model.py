"""The reader's network: BERT with three scores a token, for the answer's start, its end, and
whether the token's sentence holds it.

Scores are relative to the window's [CLS], which stands for "not here" (Devlin et al. 2019), and
all windows of a question share one softmax with it (shared normalisation, Clark and Gardner
2018), so that scores compare across windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, BertModel

from rustqa.training.data import Example
from rustqa.windows import Window

# What the sentences' share in the loss is worth beside the span's.
_SENTENCE_SHARE = 0.5


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

    def forward(self, windows: Sequence[Window]) -> list[Tensor]:
        """Of each window scores of shape (tokens, 3), relative to its first token's."""
        lengths = [len(window) for window in windows]
        ids, types, places = (
            torch.from_numpy(np.concatenate(parts))[None]
            for parts in (
                [window.ids for window in windows],
                [window.types for window in windows],
                [np.arange(length) for length in lengths],
            )
        )
        scores = self.packed(ids, types, places, lengths)[0]
        return [part - part[:1] for part in torch.split(scores, lengths)]

    def packed(
        self, ids: Tensor, types: Tensor, places: Tensor, lengths: Sequence[int] | None = None
    ) -> Tensor:
        """Scores of shape (1, tokens, 3) of windows laid end to end, which see but themselves."""
        # Nothing is padded, so that no work is done on padding and none has to be masked.
        hidden = self.bert(
            input_ids=ids, token_type_ids=types, position_ids=places, window_lengths=lengths
        )
        scores: Tensor = self.scores(hidden.last_hidden_state).float()
        return scores


def loss(model: SpanModel, examples: Sequence[Example]) -> Tensor:
    """The mean loss of the examples."""
    scores = iter(model([window for example in examples for window in example.windows]))
    losses = [
        _example_loss(list(islice(scores, len(example.windows))), example) for example in examples
    ]
    return torch.stack(losses).mean()


def _example_loss(scores: Sequence[Tensor], example: Example) -> Tensor:
    """Of each window's scores, shape (tokens, 3)."""
    inside, starts, ends, sentences, wanted = [], [], [], [], []
    for part, window, target in zip(scores, example.windows, example.targets, strict=True):
        held = np.flatnonzero(window.passages >= 0)
        inside.append(part[held])
        starts.append(part[target.starts, 0])
        ends.append(part[target.ends, 1])
        keys = np.stack([window.passages[held], window.sentences[held]], axis=1)
        unique, numbers = np.unique(keys, axis=0, return_inverse=True)
        counts = torch.from_numpy(np.bincount(numbers)).float()
        sums = part.new_zeros(len(unique)).index_add(
            0, torch.from_numpy(numbers.ravel()), part[held, 2]
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
    null = everything.new_zeros(1)
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
    _mask: Tensor | None,
    scaling: float,
    window_lengths: Sequence[int] | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention within each window; None stands for a single one.

    Arrays have the shape (1, heads, tokens, size). The query is scaled, which costs least.
    """
    whole = (query * scaling, key, value)
    windows = (
        [whole]
        if window_lengths is None
        else zip(*(torch.split(one, list(window_lengths), 2) for one in whole), strict=True)
    )
    parts = [torch.softmax(q @ k.transpose(2, 3), -1) @ v for q, k, v in windows]
    return torch.cat(parts, 2).transpose(1, 2).contiguous(), None
