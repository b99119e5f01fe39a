"""What `rustqa serve` can be told, by options and variables."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pytest

from rustqa import serving_cli
from rustqa.cli import main
from rustqa.errors import InputError
from rustqa.policy import Policy
from rustqa.serving import Serving

KEY = "a-key-of-sixteen-"


def told(*words: str, env: Mapping[str, str] | None = None) -> Serving:
    """How it is served."""
    parser = argparse.ArgumentParser()
    serving_cli.serve_arguments(parser)
    return serving_cli.serving_of(parser.parse_args(words), env or {})


def test_by_default_for_this_machine_alone() -> None:
    """Anybody here may ask as much as the machine can do; other names are not answered to."""
    assert told() == Serving()
    assert told().policy == Policy(keys=None, hosts=frozenset(), rate=None, queue=64)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "news.example"])  # noqa: S104
def test_other_machines_need_a_key(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one it is not served to them, unless that is said."""
    assert main(["serve", "--port", "0", "--host", host]) == 2
    assert "ask for a key with --api-keys FILE, or serve everybody with --without-key" in (
        capsys.readouterr().err
    )
    assert told("--host", host, "--without-key").policy.rate == 120
    assert told("--host", host, env={"RUSTQA_API_KEY": KEY}).policy.rate == 120
    assert told("--host", host, "--rate", "0", "--without-key").policy.rate is None


def test_keys_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """Whoever has one means this server, so any name will do, unless names are given."""
    file = tmp_path / "keys"
    file.write_text(KEY)
    for serving in (
        told("--api-keys", str(file)),
        told(env={"RUSTQA_API_KEYS": str(file)}),
        told(env={"RUSTQA_API_KEY": KEY}),
    ):
        assert serving.policy.keys is not None
        assert serving.policy.keys.holder(KEY)
        assert serving.policy.hosts is None
    both = told("--allow-host", "news.example", env={"RUSTQA_API_KEY": KEY}).policy
    assert both.hosts == frozenset({"news.example"})


def test_lists() -> None:
    """Options are given again, variables hold commas; options win."""
    env = {"RUSTQA_ALLOW_HOST": "a.example,b.example", "RUSTQA_EMBED": "https://c.example, "}
    policy = told("--allow-host", "x.example", "--allow-host", "Y.example", env=env).policy
    assert policy.hosts == frozenset({"x.example", "y.example"})
    policy = told("--host", "news.example", "--without-key", env=env).policy
    assert policy.hosts == frozenset({"a.example", "b.example", "news.example"})
    assert policy.embed == ("https://c.example",)


def test_numbers() -> None:
    """Options win over variables; what is no such number is named as it was given."""
    env = {"RUSTQA_WORKERS": "2", "RUSTQA_QUEUE": "7", "RUSTQA_RATE": "9"}
    assert (told(env=env).workers, told(env=env).policy.queue) == (2, 7)
    assert told("--queue", "0", env=env).policy.queue == 0
    for words, variables, message in (
        (
            ["--workers", "0"],
            {},
            r"--workers \(RUSTQA_WORKERS\) is 0; give a whole number from 1 to 64",
        ),
        (["--workers", "100000"], {}, r"is 100000; give a whole number from 1 to 64"),
        ([], {"RUSTQA_QUEUE": "many"}, r"--queue \(RUSTQA_QUEUE\) is 'many'; give a whole number"),
        (["--rate", "-1"], {}, r"--rate \(RUSTQA_RATE\) is -1; give a whole number from 0 to"),
        ([], {"RUSTQA_LOG": "xml"}, "RUSTQA_LOG is 'xml'; set it to text or json"),
        (["--cors", "*"], {}, "is no origin"),
        ([], {"RUSTQA_LOG_QUESTIONS": "maybe"}, "RUSTQA_LOG_QUESTIONS is 'maybe'; set it to 1 or"),
    ):
        with pytest.raises(InputError, match=message):
            told(*words, env=variables)


def test_what_is_logged() -> None:
    """Questions only where that is switched on."""
    assert not told().policy.log_questions
    assert told("--log-questions").policy.log_questions
    assert told(env={"RUSTQA_LOG_QUESTIONS": "1"}).policy.log_questions
    assert not told(env={"RUSTQA_LOG_QUESTIONS": "0"}).policy.log_questions
    assert told("--log", "json").log == told(env={"RUSTQA_LOG": "json"}).log == "json"


@pytest.mark.parametrize("option", [["--watch"], ["--add-to", "added"]])
def test_what_one_worker_alone_can_do(
    option: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Several would change the index against each other."""
    monkeypatch.chdir(tmp_path)
    assert main(["serve", "--port", "0", "--workers", "2", *option]) == 2
    assert f"{option[0]} needs a single worker; bring the index up to date with rustqa index" in (
        capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []
    assert main(["serve", "--port", "0", "--workers", "2", "--feedback", "kept.jsonl"]) == 2
    assert "--feedback needs a single worker, which alone" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
