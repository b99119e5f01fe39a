"""Metrics: what is counted, in words that no client chooses, and by several processes together."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fakes import FakeEncoder, FakeReader
from rustqa.metrics import SHARED, Metrics, counted_together, forget_process
from rustqa.pipeline import Pipeline
from rustqa.store.local import FaissStore
from rustqa.types import Answer

COUNTING = """
import os, sys
from rustqa.metrics import Metrics
metrics = Metrics()
metrics.requested("/ask", "POST", 200, 0.02)
metrics.queue(at_work=int(sys.argv[1]), waiting=0)
print(os.getpid())
"""


@pytest.fixture
def metrics() -> Metrics:
    """Nothing counted yet."""
    return Metrics()


@pytest.fixture
def answer(fake_pipeline: Pipeline) -> Answer:
    """One that the articles give."""
    return fake_pipeline.ask("Who is the harbour master?")


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels: `rustqa_refused_total busy`."""
    return {
        " ".join(
            [sample.name, *(value for _, value in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_a_request_is_counted_and_measured(metrics: Metrics) -> None:
    """By route, method and status, and in the buckets of its time."""
    metrics.requested("/ask", "POST", 200, 0.004)
    metrics.requested("/ask", "POST", 200, 0.04)
    found = values(metrics)
    # The labels come in the order of their names: method, route, status.
    assert found["rustqa_requests_total POST /ask 200"] == 2
    assert found["rustqa_request_seconds_count /ask"] == 2
    assert found["rustqa_request_seconds_sum /ask"] == pytest.approx(0.044)
    assert found["rustqa_request_seconds_bucket 0.005 /ask"] == 1
    assert found["rustqa_request_seconds_bucket 0.05 /ask"] == 2


def test_methods_that_nobody_knows_are_one(metrics: Metrics) -> None:
    """A client that makes up methods makes no new series."""
    for number in range(20):
        metrics.requested("/ask", f"METHOD{number}", 405, 0.001)
    found = [name for name in values(metrics) if name.startswith("rustqa_requests_total")]
    assert found == ["rustqa_requests_total other /ask 405"]


def test_an_answer_is_counted_by_what_came_of_it(metrics: Metrics, answer: Answer) -> None:
    """Each answer once, and its stages in seconds."""
    timed = replace(answer, timings_ms={"retrieve": 2.0, "read": 30.0, "total": 33.0})
    silent = replace(timed, status="no_answer", answer=None)
    for one in (timed, timed, replace(timed, contested=True), silent):
        metrics.answered(one)
    found = values(metrics)
    assert found["rustqa_answers_total answered"] == 2
    assert found["rustqa_answers_total contested"] == 1
    assert found["rustqa_answers_total no_answer"] == 1
    assert found["rustqa_answers_total message"] == 0
    assert found["rustqa_stage_seconds_count retrieve"] == 4
    assert found["rustqa_stage_seconds_sum read"] == pytest.approx(0.12)
    assert found["rustqa_stage_seconds_bucket 0.03 total"] == 0
    assert found["rustqa_stage_seconds_bucket 0.05 total"] == 4


def test_what_rustqa_says_itself_is_no_abstention(
    metrics: Metrics, fake_pipeline: Pipeline
) -> None:
    """A greeting is counted apart, and no stage is measured that it did not come to."""
    metrics.answered(fake_pipeline.ask("Hello"))
    found = values(metrics)
    assert found["rustqa_answers_total message"] == 1
    assert found["rustqa_answers_total no_answer"] == 0
    assert found["rustqa_stage_seconds_count total"] == 1
    assert "rustqa_stage_seconds_count read" not in found


def test_refusals_reloads_and_the_queue(metrics: Metrics) -> None:
    """Refusals and reloads are at nought before the first, so that it shows as a rise."""
    before = values(metrics)
    reasons = ("busy", "rate", "key", "host", "size", "slow", "time")
    assert [before[f"rustqa_refused_total {reason}"] for reason in reasons] == [0] * 7
    assert before["rustqa_reloads_total failed"] == 0
    metrics.refused("rate")
    metrics.reloaded(ok=True)
    metrics.reloaded(ok=False)
    metrics.queue(at_work=4, waiting=9)
    metrics.queue(at_work=3, waiting=0)
    found = values(metrics)
    assert found["rustqa_refused_total rate"] == 1
    assert found["rustqa_reloads_total ok"] == found["rustqa_reloads_total failed"] == 1
    assert (found["rustqa_requests_at_work"], found["rustqa_requests_waiting"]) == (3, 0)


def test_the_index_that_is_asked(metrics: Metrics, fake_store: FaissStore) -> None:
    """None before it is loaded; afterwards one, however many there were."""
    assert not [name for name in values(metrics) if "index" in name or "articles" in name]
    metrics.serving(Pipeline(fake_store, FakeEncoder(), FakeReader()).store)
    found = values(metrics)
    assert found["rustqa_articles"] == 2
    assert found["rustqa_passages"] == len(fake_store)
    metrics._index.id = "another"
    ids = [name for name in values(metrics) if name.startswith("rustqa_index_info")]
    assert ids == ["rustqa_index_info another"]


def test_the_process_is_measured(metrics: Metrics) -> None:
    """Its memory and its processor time; and nothing says when a counter was made."""
    metrics.requested("/ask", "POST", 200, 0.1)
    found = values(metrics)
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes"] > 1e6
    assert not [name for name in found if "_created" in name]
    assert metrics.content_type.startswith("text/plain")


def test_each_has_counters_of_its_own(metrics: Metrics) -> None:
    """Two applications in one process do not count for each other."""
    other = Metrics()
    other.refused("busy")
    assert values(metrics)["rustqa_refused_total busy"] == 0


@pytest.fixture
def shared(tmp_path: Path) -> dict[str, str]:
    """The environment of processes that count together."""
    return {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}


def _run(code: str, env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_processes_count_together(shared: dict[str, str], tmp_path: Path) -> None:
    """What either counted is in the text of a third, which tells nothing of itself alone; what a
    process that ended was at is forgotten when it is told, and its requests are not."""
    pids = [int(_run(COUNTING, shared, count)) for count in ("2", "3")]
    telling = "from rustqa.metrics import Metrics; print(Metrics().text().decode())"
    text = _run(telling, shared)
    assert 'rustqa_requests_total{method="POST",route="/ask",status="200"} 2.0' in text
    assert 'rustqa_request_seconds_bucket{le="0.02",route="/ask"} 2.0' in text
    assert "rustqa_requests_at_work 5.0" in text
    assert 'rustqa_refused_total{reason="busy"} 0.0' in text
    assert "process_resident_memory_bytes" not in text
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        forget_process(pids[0])
    text = _run(telling, shared)
    assert "rustqa_requests_at_work 3.0" in text
    assert 'rustqa_requests_total{method="POST",route="/ask",status="200"} 2.0' in text


def test_folders_of_servers_that_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next server removes them, and never one that a process counts in, or is about to."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(SHARED, "")
    gone, living, new, elsewhere = (
        tmp_path / name
        for name in ("rustqa-metrics-1", "rustqa-metrics-2", "rustqa-metrics-3", "other")
    )
    for folder in (gone, living, new, elsewhere):
        folder.mkdir()
    for folder in (gone, elsewhere):
        (folder / "counter_1.db").write_bytes(b"")
    link = tmp_path / "rustqa-metrics-4"
    link.symlink_to(elsewhere)
    with subprocess.Popen(
        [sys.executable, "-c", f"{COUNTING}\nsys.stdout.flush(); input()", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, SHARED: str(living)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline()
        with counted_together():
            assert not gone.exists()
            assert list(living.iterdir())
            own = Path(os.environ[SHARED])
            (own / "counter_2.db").write_bytes(b"")
            with counted_together():
                assert own.is_dir()
        assert not own.exists()
        process.kill()
    with counted_together():
        assert not living.exists()
    assert sorted(tmp_path.iterdir()) == [elsewhere, new, link]
    assert list(elsewhere.iterdir())
