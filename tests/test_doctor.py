"""What `rustqa doctor` finds."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import FakeEncoder
from rustqa import doctor, machine
from rustqa.cli import main
from rustqa.doctor import Finding
from rustqa.errors import EncoderError
from rustqa.machine import MachineError
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings, data_root
from rustqa.torch_encoder import TorchEncoder

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch, fake_pipeline: Pipeline) -> None:
    """No real model is loaded, and nothing is set for the server."""
    for opened in ("open_passage_encoder", "open_question_encoder"):
        monkeypatch.setattr(doctor, opened, lambda name, _cache: FakeEncoder(name))
    monkeypatch.setattr(doctor, "open_pipeline", lambda _settings: fake_pipeline)
    for name in [name for name in os.environ if name.startswith("RUSTQA_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def examined(settings: Settings) -> dict[str, Finding]:
    """What is found, by what was looked at."""
    return {finding.what: finding for finding in doctor.examine(settings)}


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that ships is in order, and the exit code says so."""
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line[:4] for line in lines} == {"ok  "}
    assert [line[6:].partition(":")[0] for line in lines] == [
        *("articles", "index", "manifest", "encoder", "reader", "cache", "questions"),
        *("threads", "memory", "disk", "writing", "libraries", "serving", "answer"),
    ]
    assert "'Who is the harbour master?' takes" in lines[-1]
    assert "(answered)" in lines[-1]


def test_each_fault_is_named_with_its_mend(tmp_path: Path) -> None:
    """A missing index, an empty corpus and an unusable cache are each found, none hides another."""
    file = tmp_path / "file"
    file.write_text("")
    settings = replace(
        Settings.from_env({}), corpus=tmp_path, index=tmp_path / "index", cache=file / "cache"
    )
    found = examined(settings)
    assert not found["articles"].ok
    assert "no articles there; put" in found["articles"].detail
    assert "build it: rustqa index FOLDER --index" in found["index"].detail
    assert "RUSTQA_CACHE" in found["cache"].detail
    assert found["encoder"].ok


def test_a_stale_index_is_told(tmp_path: Path) -> None:
    """An index older than its corpus is not called sound."""
    (tmp_path / "new.txt").write_text("It rained.")
    index = examined(replace(Settings.from_env({}), corpus=tmp_path))["index"]
    assert not index.ok
    assert "rustqa index" in index.detail


def test_an_encoder_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """For passages or for questions, without hiding the other."""

    def fail(_name: str, _cache: Path) -> FakeEncoder:
        raise EncoderError("model.safetensors is damaged; install it anew")

    for opened, what in (
        ("open_passage_encoder", "encoder"),
        ("open_question_encoder", "questions"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(doctor, opened, fail)
            findings = doctor.examine(Settings.from_env({}))
        wrong = [(finding.what, finding.detail) for finding in findings if not finding.ok]
        assert wrong[0] == (what, "model.safetensors is damaged; install it anew")
        # A question is asked if what it takes is there.
        assert wrong[1:] == (
            [("answer", "not tried; mend first: questions")] if what == "questions" else []
        )


@pytest.mark.parametrize("shipped", [True, False])
def test_only_an_index_of_ones_own_has_to_be_replaceable(
    shipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rustqa is installed nobody writes."""

    def refuse(_folder: Path) -> str:
        raise MachineError("cannot be written")

    monkeypatch.setattr(machine, "replaceable", refuse)
    index = data_root() / "index" if shipped else tmp_path / "index"
    assert examined(replace(Settings.from_env({}), index=index))["writing"].ok == shipped


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (f"# ours\n\n  {KEY}\n{KEY}2\n", 0o640, None),
        (f"{KEY}\n", 0o604, "can be read by everybody here; run: chmod o-rwx"),
        (f"{KEY}\n# later\nsecret-key\n", 0o600, "line 3: this API key has 10 characters"),
        ("# none yet\n", 0o600, "holds no API key; write one a line: openssl rand"),
        (None, 0o600, "No such file or directory; name a file of API keys"),
    ],
)
def test_the_file_of_keys(
    content: str | None, mode: int, fault: str | None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It holds keys long enough, for few to read; none is ever shown."""
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    monkeypatch.setenv("RUSTQA_API_KEYS", str(file))
    finding = examined(Settings.from_env({}))["serving"]
    assert finding.ok == (fault is None)
    assert (fault or "any rate, 2 keys, log") in finding.detail
    assert KEY not in finding.detail
    assert "secret-key" not in finding.detail


@pytest.mark.parametrize(("key", "ok"), [(KEY, True), (KEY[1:], False)])
def test_a_key_that_is_given_itself(key: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to be as long, and is not shown either."""
    monkeypatch.setenv("RUSTQA_API_KEY", key)
    finding = examined(Settings.from_env({}))["serving"]
    assert finding.ok == ok
    assert ("1 key, log" in finding.detail) == ok
    assert key not in finding.detail


def test_what_would_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a few words, by the variables that are set."""
    settings = Settings.from_env({})
    assert examined(settings)["serving"].detail == (
        "1 worker, 64 may wait, any rate, no key, log as text"
    )
    for name, value in (("WORKERS", "2"), ("QUEUE", "1000"), ("RATE", "90"), ("LOG", "json")):
        monkeypatch.setenv(f"RUSTQA_{name}", value)
    assert examined(settings)["serving"].detail == (
        "2 workers, 1,000 may wait, 90 requests a minute, no key, log as json"
    )


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"ALLOW_HOST": "https://a.example"}, "'https://a.example' is no name of a host; give"),
        ({"CORS": "*"}, "'*' is no origin; give it as https://"),
        ({"EMBED": "a.example"}, "'a.example' is no origin; give it as https://"),
        ({"WORKERS": "0"}, "--workers (RUSTQA_WORKERS) is '0'; give a whole number from 1 to 64"),
        ({"QUEUE": "many"}, "--queue (RUSTQA_QUEUE) is 'many'; give a whole number"),
        ({"RATE": "-1"}, "--rate (RUSTQA_RATE) is '-1'; give a whole number"),
        ({"LOG": "xml"}, "RUSTQA_LOG is 'xml'; set it to text or json"),
        ({"LOG_QUESTIONS": "maybe"}, "RUSTQA_LOG_QUESTIONS is 'maybe'; set it to 1 or 0"),
        ({"WORKERS": "2", "ADD_TO": "added"}, "--add-to needs a single worker; bring"),
        ({"WORKERS": "2", "FEEDBACK": "said"}, "--feedback needs a single worker, which"),
    ],
)
def test_what_cannot_be_served(
    variables: dict[str, str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before the server is begun, as the server tells it."""
    for name, value in variables.items():
        monkeypatch.setenv(f"RUSTQA_{name}", value)
    finding = examined(Settings.from_env())["serving"]
    assert not finding.ok
    assert fault in finding.detail


def test_where_is_written_while_serving(tmp_path: Path) -> None:
    """Added articles need a folder that is there or can be made, feedback one that is there."""
    (tmp_path / "file").write_text("")
    settings = replace(
        Settings.from_env({}), feedback=tmp_path / "said", add_to=tmp_path / "new" / "er"
    )
    found = examined(settings)
    assert found["feedback"].ok
    assert found["adding"].ok
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    for feedback in (tmp_path, tmp_path / "new" / "said"):
        finding = examined(replace(settings, feedback=feedback))["feedback"]
        assert not finding.ok
        assert "name another file with RUSTQA_FEEDBACK" in finding.detail
    finding = examined(replace(settings, add_to=tmp_path / "file" / "new"))["adding"]
    assert not finding.ok
    assert "name another folder with RUSTQA_ADD_TO" in finding.detail


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each place that is written to, with the system's words and what to do."""
    (tmp_path / "said").write_text("")
    settings = replace(
        Settings.from_env({}), cache=tmp_path, feedback=tmp_path / "said", add_to=tmp_path
    )

    def refuse(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    found = examined(settings)
    for what, variable in (("cache", "CACHE"), ("feedback", "FEEDBACK"), ("adding", "ADD_TO")):
        assert not found[what].ok
        assert "(No space left on device); make room there or" in found[what].detail
        assert f"RUSTQA_{variable}" in found[what].detail


@pytest.mark.model
@pytest.mark.parametrize("slow", [False, True])
def test_a_slow_encoder_is_told(
    slow: bool, torch_encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in order, but what encodes the questions is named."""
    encoder = torch_encoder if slow else FakeEncoder()
    monkeypatch.setattr(doctor, "open_question_encoder", lambda _name, _cache: encoder)
    finding = examined(Settings.from_env({}))["questions"]
    assert finding.ok
    assert ("slow to start" in finding.detail) == slow
