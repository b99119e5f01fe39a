"""Makes the examples that the reader is trained on from labelled files.

    python -m rustqa.training.data FILE...        counts them

An example is a question with the windows of its article and where in them the answer stands, if
anywhere. Each pass over a file makes other examples of the same questions: paragraphs are left
out, an article is cut in two, a window of a similar article is added, the answer's paragraph is
taken away so that nothing answers, and questions lose their case, their mark or a letter.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from rustqa.encoder import PACKAGED, model_folder
from rustqa.errors import InputError
from rustqa.labelled import read_labelled
from rustqa.passages import split_document
from rustqa.training import errors_in_a_line
from rustqa.types import Passage, Span
from rustqa.windows import MAX_CONTEXT, Integers, Layout, Tokens, Window

# How often each change is made to an example.
SHUFFLED = 0.05
CUT_IN_TWO = 0.15
OTHER_ARTICLE = 0.1
ANSWER_TAKEN_AWAY = 0.1
PARAGRAPH_LEFT_OUT = 0.2
NEIGHBOUR_ADDED = 0.35
LOWER_CASE = 0.12
MISTYPED = 0.06
TURN_BEFORE = 0.3

_SIMILAR = 5
# An article of one paragraph, as in SQuAD, is read beside others of its kind.
_SHORT = 2


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled question: its article's place among the articles and its answers there."""

    question: str
    turns: tuple[str, ...]
    kind: str
    article: int
    answers: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What a window should yield: the tokens that may start and end the answer, and the
    (passage, sentence) pairs that hold it. All are empty where the window does not answer."""

    starts: Integers
    ends: Integers
    sentences: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Example:
    """A question's windows, which are compared with each other, and the target of each."""

    windows: tuple[Window, ...]
    targets: tuple[Target, ...]

    def __len__(self) -> int:
        """How many tokens its windows have."""
        return sum(map(len, self.windows))


class Articles:
    """The articles and questions of one labelled file, and the examples made of them."""

    def __init__(self, file: Path, layout: Layout, kinds: Collection[str] = ()) -> None:
        """Reads and tokenizes the file, of its questions those of the kinds, or all.

        Raises InputError if the file cannot be used.
        """
        self.layout = layout
        self.items: list[Item] = []
        self._passages: list[list[tuple[Passage, Tokens]]] = []
        texts: list[str] = []
        for labelled in read_labelled(file, {}):
            places = {}
            for document in labelled.documents:
                places[document.id] = len(texts)
                texts.append(document.text)
                self._passages.append(
                    [
                        (
                            passage,
                            layout.tokens(
                                document.text[passage.start : passage.end],
                                passage.start,
                                passage.sentences,
                            ),
                        )
                        for passage in split_document(document)
                    ]
                )
            for question in labelled.questions:
                if kinds and question.kind not in kinds:
                    continue
                if question.document_id is None:
                    raise InputError(f"{file}: brings no articles of its own; name one that does")
                item = Item(
                    question.question,
                    tuple(turn.question for turn in question.history),
                    question.kind,
                    places[question.document_id],
                    tuple(Span(support.start, support.end) for support in question.support),
                )
                # What stands in page furniture alone is neither an answer nor none.
                if self._passages[item.article] and (not item.answers or self._right(item)):
                    self.items.append(item)
        if kinds and not self.items:
            raise InputError(f"{file}: no question is of the kinds {', '.join(kinds)}; name others")
        self._similar = _similar(texts)
        self._questions: dict[int, list[str]] = {}
        for item in self.items:
            self._questions.setdefault(item.article, []).append(item.question)

    def plain(self, item: Item) -> Example:
        """The question and its whole article, unchanged."""
        return self._example(item, [self._passages[item.article]])

    def varied(self, item: Item, chance: random.Random) -> Example:
        """The question and its article, changed at random."""
        passages = list(self._passages[item.article])
        answers = item.answers
        right = self._right(item)
        if right and len(right) < len(passages) and chance.random() < ANSWER_TAKEN_AWAY:
            passages = [entry for number, entry in enumerate(passages) if number not in right]
            answers = ()
        elif len(passages) > _SHORT:
            passages = [
                entry
                for number, entry in enumerate(passages)
                if number in right or chance.random() >= PARAGRAPH_LEFT_OUT
            ] or passages
        if len(passages) <= _SHORT and chance.random() < NEIGHBOUR_ADDED:
            near = item.article + chance.choice((-2, -1, 1, 2))
            if 0 <= near < len(self._passages):
                place = chance.choice((0, len(passages)))
                passages[place:place] = _detached(self._passages[near])
        if chance.random() < SHUFFLED:
            chance.shuffle(passages)
        groups = [passages]
        if len(passages) > _SHORT and chance.random() < CUT_IN_TWO:
            cut = chance.randrange(1, len(passages))
            groups = [passages[:cut], passages[cut:]]
        if chance.random() < OTHER_ARTICLE and (similar := self._similar[item.article]):
            other = _detached(self._passages[chance.choice(similar)])
            if other:
                first = chance.randrange(len(other))
                groups.append(other[first : first + 3])
        turns = item.turns
        # What was talked of before most often has nothing to do with the question.
        while len(turns) < MAX_CONTEXT and chance.random() < TURN_BEFORE:
            turns = (chance.choice(self._questions[item.article]), *turns)
        question = _mistyped(item.question, chance)
        return self._example(Item(question, turns, item.kind, item.article, answers), groups)

    def _right(self, item: Item) -> set[int]:
        """The numbers of the passages that hold an answer."""
        return {
            number
            for number, (passage, _) in enumerate(self._passages[item.article])
            if any(_holds(passage, answer) for answer in item.answers)
        }

    def _example(self, item: Item, groups: Sequence[list[tuple[Passage, Tokens]]]) -> Example:
        asked = self.layout.asked(item.question, item.turns)
        windows = [
            window
            for group in groups
            for window in self.layout.windows(asked, [tokens for _, tokens in group])
        ]
        return Example(tuple(windows), tuple(target(window, item.answers) for window in windows))


def target(window: Window, answers: Sequence[Span]) -> Target:
    """Where the answers, as spans of the document, stand in the window."""
    starts, ends, sentences = set(), set(), set()
    for answer in answers:
        inside = np.flatnonzero((window.starts < answer.end) & (window.ends > answer.start))
        # An answer whose passage was cut is no answer in either piece.
        if not len(inside) or window.starts[inside[0]] > answer.start:
            continue
        if window.ends[inside[-1]] < answer.end:
            continue
        starts.add(int(inside[0]))
        ends.add(int(inside[-1]))
        pairs = zip(window.passages[inside], window.sentences[inside], strict=True)
        sentences |= {(int(passage), int(sentence)) for passage, sentence in pairs if passage >= 0}
    return Target(
        np.array(sorted(starts), np.int64), np.array(sorted(ends), np.int64), frozenset(sentences)
    )


def _holds(passage: Passage, answer: Span) -> bool:
    return passage.start < answer.end and answer.start < passage.end


def _detached(passages: Sequence[tuple[Passage, Tokens]]) -> list[tuple[Passage, Tokens]]:
    """The passages at offsets where no answer of another article can lie."""
    away = 1 << 40
    return [
        (passage, Tokens(tokens.ids, tokens.starts + away, tokens.ends + away, tokens.sentences))
        for passage, tokens in passages
    ]


def _mistyped(question: str, chance: random.Random) -> str:
    if chance.random() < LOWER_CASE:
        question = question.lower().rstrip("?")
    if chance.random() < MISTYPED:
        words = [match.span() for match in re.finditer(r"\w{5,}", question)]
        if words:
            start, end = chance.choice(words)
            place = chance.randrange(start + 1, end - 1)
            pair = question[place : place + 2]
            changed = chance.choice((pair[::-1], pair[0], pair[0] + pair))
            question = question[:place] + changed + question[place + 2 :]
    return question


def _similar(texts: Sequence[str]) -> list[list[int]]:
    """Of each text the most similar others, by the cosine of their TF-IDF vectors."""
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)
    found = []
    for number in range(len(texts)):
        scores = (vectors @ vectors[number].T).toarray().ravel()
        scores[number] = -1
        found.append([n for n in np.argsort(-scores)[:_SIMILAR].tolist() if n != number])
    return found


def batches(examples: Sequence[Example], tokens: int, chance: random.Random) -> Iterator[list[int]]:
    """Places of the examples, in batches of windows of about equal length, which together have at
    most `tokens` tokens if each is as long as the longest."""
    order = sorted(range(len(examples)), key=lambda n: (max(map(len, examples[n].windows)), n))
    groups: list[list[int]] = [[]]
    windows = 0
    for number in order:
        windows += len(examples[number].windows)
        if groups[-1] and windows * max(map(len, examples[number].windows)) > tokens:
            groups.append([])
            windows = len(examples[number].windows)
        groups[-1].append(number)
    chance.shuffle(groups)
    yield from filter(None, groups)


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Counts the examples of some files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="labelled files")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    layout = Layout(model_folder(PACKAGED) / "tokenizer.json")
    for file in options.files:
        articles = Articles(file, layout)
        chance = random.Random(options.seed)  # noqa: S311  (a sample, not a secret)
        examples = [articles.varied(item, chance) for item in articles.items]
        tokens = sum(map(len, examples))
        silent = sum(not any(len(t.starts) for t in example.targets) for example in examples)
        sys.stdout.write(
            f"{file.name}: {len(examples):,} questions, {tokens:,} tokens, "
            f"{sum(len(e.windows) for e in examples):,} windows, {silent:,} without an answer\n"
        )
        for kind, count in Counter(item.kind for item in articles.items).most_common():
            sys.stdout.write(f"  {kind:<14}{count:>7,}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
