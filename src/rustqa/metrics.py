"""What the server counts and measures, in the format of Prometheus."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rustqa.errors import Refusal
from rustqa.types import Answer, PassageStore

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_STATUSES = ("answered", "contested", "no_answer", "message")
# Most answers take 5 to 50 ms.
_BUCKETS = (
    *(0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.2, 0.5, 1, 2, 5, 10),
)
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "rustqa-metrics-"


class Metrics:
    """The counters of one server.

    Several processes of one server count together if PROMETHEUS_MULTIPROC_DIR names a folder of
    theirs before the first of them makes its metrics. No label holds what a client may choose.
    """

    def __init__(self) -> None:
        """All counters at nought."""
        import prometheus_client as prometheus

        # Of each counter the time it was made, which nobody asks for.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.content_type: str = prometheus.CONTENT_TYPE_LATEST
        self._shared = os.environ.get(SHARED)
        if self._shared:
            _hold(self._shared)
        self._registry = registry = prometheus.CollectorRegistry()
        self._index = _Index()
        self._requests = prometheus.Counter(
            "rustqa_requests", "Requests.", ["route", "method", "status"], registry=registry
        )
        self._request_seconds = prometheus.Histogram(
            "rustqa_request_seconds", "How long requests took.", ["route"],
            registry=registry, buckets=_BUCKETS,
        )  # fmt: skip
        self._answers = prometheus.Counter(
            "rustqa_answers", "Questions asked, by what came of them.", ["status"],
            registry=registry,
        )  # fmt: skip
        self._stage_seconds = prometheus.Histogram(
            "rustqa_stage_seconds", "How long the stages of answering took.", ["stage"],
            registry=registry, buckets=_BUCKETS,
        )  # fmt: skip
        self._refused = prometheus.Counter(
            "rustqa_refused", "Requests refused.", ["reason"], registry=registry
        )
        self._reloads = prometheus.Counter(
            "rustqa_reloads", "Times a new index was to be taken up.", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self._at_work = prometheus.Gauge(
            "rustqa_requests_at_work", "Requests being worked at.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._waiting = prometheus.Gauge(
            "rustqa_requests_waiting", "Requests waiting for a place.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        # From the start at nought, as a rise from nothing is none to Prometheus.
        for status in _STATUSES:
            self._answers.labels(status)
        for reason in get_args(Refusal):
            self._refused.labels(reason)
        for outcome in ("ok", "failed"):
            self._reloads.labels(outcome)
        registry.register(self._index)
        prometheus.ProcessCollector(registry=registry)

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the template of its path, or OTHER."""
        self._requests.labels(route, method_of(method), str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """A question was asked and this came of it."""
        kind = "message" if answer.message is not None else answer.status
        self._answers.labels("contested" if answer.contested else kind).inc()
        for stage, milliseconds in answer.timings_ms.items():
            # A greeting is neither retrieved nor read for.
            if milliseconds or stage == "total":
                self._stage_seconds.labels(stage).observe(milliseconds / 1000)

    def refused(self, reason: Refusal) -> None:
        """A request was refused."""
        self._refused.labels(reason).inc()

    def reloaded(self, ok: bool) -> None:
        """A new index was taken up, or could not be."""
        self._reloads.labels("ok" if ok else "failed").inc()

    def queue(self, at_work: int, waiting: int) -> None:
        """So many requests are at work now and so many wait."""
        self._at_work.set(at_work)
        self._waiting.set(waiting)

    def serving(self, store: PassageStore) -> None:
        """These articles are asked from now on."""
        self._index.articles, self._index.passages = len(store.documents), len(store)
        self._index.id = store.id

    def text(self) -> bytes:
        """All that is counted, as Prometheus reads it, with `content_type`."""
        from prometheus_client import generate_latest

        return generate_latest(self._all_processes() if self._shared else self._registry)

    def _all_processes(self) -> CollectorRegistry:
        """What all processes count; of the process itself nothing, as each time another answers."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(self._index)
        return registry


class _Index:
    """What is asked: the same in every process, and of an index that went nothing stays."""

    def __init__(self) -> None:
        self.articles = self.passages = 0
        self.id: str | None = None

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now; none while nothing is loaded."""
        from prometheus_client.core import GaugeMetricFamily

        if self.id is None:
            return
        yield GaugeMetricFamily("rustqa_articles", "Articles asked.", self.articles)
        yield GaugeMetricFamily("rustqa_passages", "Passages asked.", self.passages)
        info = GaugeMetricFamily("rustqa_index_info", "The index asked.", labels=["id"])
        info.add_metric([self.id], 1)
        yield info


@contextmanager
def counted_together() -> Iterator[None]:
    """Lets processes that are begun meanwhile count together, in a folder that goes in the end;
    those that killed servers left go first."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove_left(left)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        os.environ[SHARED] = folder
        _hold(folder)
        yield


def _hold(folder: str) -> None:
    """Lets nobody remove the folder as long as this process lives, where the system knows locks."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)


def _remove_left(folder: Path) -> None:
    """Removes the folder, unless somebody holds it or, as it is empty, may be about to."""
    with suppress(ImportError, OSError):
        import fcntl

        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.listdir(handle):
                shutil.rmtree(folder)
        finally:
            os.close(handle)


def method_of(method: str) -> str:
    """The method, or OTHER for one that a client made up."""
    return method if method in _METHODS else OTHER


def forget_process(pid: int) -> None:
    """Counts no requests at work any more in a process of the server that has ended."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
