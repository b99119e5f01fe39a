"""ONNX Runtime as rustqa uses it: a run takes one thread, and as many run at once as there are
processors, whoever asks for them.

So one question uses every processor, many questions do not crowd each other, and those that came
first are done first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rustqa import wanted
from rustqa.cgroups import cpu_quota

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from onnxruntime import InferenceSession

T = TypeVar("T")
R = TypeVar("R")
Inputs = Mapping[str, NDArray[np.int64]]


def processors() -> int:
    """How many processors this process may use, by where it may run and by its share of time."""
    allowed = allowed_processors()
    quota = cpu_quota()
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


def allowed_processors() -> int:
    """How many processors this process may run on, which is all that other libraries look at."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def import_runtime() -> None:
    """Imports ONNX Runtime and its tokenizers, which holds up other threads; loading does not."""
    import tokenizers  # noqa: F401


def open_session(model: Path | bytes) -> InferenceSession:
    """A network from its file or from what its file would hold."""
    # Nothing leaves this machine: without it ONNX Runtime may tell its makers how it is used.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    source = model if isinstance(model, bytes) else str(model)
    return InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run_all(session: InferenceSession, inputs: Sequence[Inputs]) -> list[Any]:
    """The network's first output for each of the inputs, computed side by side; raises
    AbandonedError once nobody waits for them."""
    still_wanted = wanted.check()

    def run(one: Inputs) -> Any:
        still_wanted()
        return session.run(None, one)[0]

    return list(_workers().map(run, inputs))


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The work's results in the items' order, each when it and those before it are done.

    So many are at work as keep all processors busy while some of them wait for a network. Each has
    the context variables of who asks, as the id of a request.
    """
    from concurrent.futures import ThreadPoolExecutor

    still_wanted, context = wanted.check(), copy_context()

    def begin(item: T) -> R:
        still_wanted()
        return context.copy().run(work, item)

    with ThreadPoolExecutor(2 * processors(), "asking") as pool:
        yield from pool.map(begin, items)


@cache
def _workers() -> Executor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(processors(), "network")
