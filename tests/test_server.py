"""The server as a process of its own, and the wheel as a stranger installs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import REPOSITORY
from rustqa.cli import main
from rustqa.server import listen
from web_fixtures import wait_until


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another server holds gives one line that says what to do, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use); choose" in (
        capsys.readouterr().err
    )


def test_a_port_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    """A number that is no port is refused in the same way."""
    assert main(["serve", "--port", "99999"]) == 2
    assert "99999 is no port; choose one from 0 to 65535" in capsys.readouterr().err


def test_an_answer_is_sent_at_once() -> None:
    """Of a connection that stays open no packet is held back until the one before it is
    acknowledged."""
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_file_for_feedback_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place where no feedback can be kept is refused before anybody gives any."""
    assert main(["serve", "--port", "0", "--feedback", str(tmp_path)]) == 2
    assert "feedback cannot be kept there (Is a directory); name" in capsys.readouterr().err


def test_a_folder_that_nothing_can_be_added_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before anybody adds anything."""
    (tmp_path / "file").write_text("")
    assert main(["serve", "--port", "0", "--add-to", str(tmp_path / "file")]) == 2
    assert "articles cannot be added there (File exists); name" in capsys.readouterr().err


@pytest.fixture
def served(tmp_path: Path, model_cache: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`rustqa serve` with the real model on a free port, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rustqa", "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "RUSTQA_CACHE": str(model_cache)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        yield process, line.split(" on ")[1].split()[0]
    finally:
        process.kill()
        process.communicate()


def is_ready(url: str) -> bool:
    """Whether the server says so; it must answer either way."""
    try:
        with urllib.request.urlopen(url + "readyz"):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 503:
            raise
        return False


@pytest.mark.model
def test_serves_answers_and_stops_when_told(served: tuple[subprocess.Popen[str], str]) -> None:
    """It listens at once, becomes ready, answers, and ends quietly at Ctrl-C."""
    process, url = served
    deadline = time.monotonic() + 60
    while not is_ready(url):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    body = json.dumps({"question": "Who loaded the gun?"}).encode()
    request = urllib.request.Request(
        url + "ask", body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        answer = json.load(reply)
    assert "Hannah Gutierrez" in answer["answer"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert process.returncode in (0, 130)


@pytest.mark.model
def test_serves_what_is_added_and_what_changes(tmp_path: Path, model_cache: Path) -> None:
    """`--add-to` and `--watch` over articles of one's own, with the real model."""
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "oak.txt").write_text("A storm felled the old oak of Saltby on Sunday.")
    env = {**os.environ, "RUSTQA_CACHE": str(model_cache), "RUSTQA_INDEX": str(tmp_path / "index")}
    program = [sys.executable, "-m", "rustqa"]
    subprocess.run([*program, "index", str(articles)], env=env, check=True, capture_output=True)
    with subprocess.Popen(
        [*program, "serve", "--port", "0", "--watch", "--add-to", str(tmp_path / "added")],
        env=env, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            url = process.stderr.readline().split(" on ")[1].split()[0]
            wait_until(lambda: is_ready(url))
            body = json.dumps({"title": "Frost", "text": "The river froze on Tuesday."}).encode()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(url + "articles", body, headers)
            with urllib.request.urlopen(request) as reply:
                assert (reply.status, json.load(reply)["id"]) == (201, "frost")
            (articles / "hail.txt").write_text("It hailed in Leeds on Thursday.")

            def served() -> int:
                with urllib.request.urlopen(url + "articles") as reply:
                    return len(json.load(reply))

            wait_until(lambda: served() == 3)
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert process.returncode in (0, 130)


@pytest.mark.model
@pytest.mark.wheel
def test_the_wheel_answers_from_any_folder(tmp_path: Path, model_cache: Path) -> None:
    """The built wheel holds corpus, index and web files, and answers with nothing beside it."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(REPOSITORY)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("rustqa-*.whl")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(site), str(wheel)], check=True, capture_output=True)
    env = {**os.environ, "PYTHONPATH": str(site), "RUSTQA_CACHE": str(model_cache)}
    asked = subprocess.run(
        [sys.executable, "-m", "rustqa", "ask", "--json", "who loaded the gun?"],
        cwd=tmp_path, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "Hannah Gutierrez" in json.loads(asked.stdout)["answer"]
    where = subprocess.run(
        [sys.executable, "-c", "from rustqa.settings import data_root; print(data_root())"],
        cwd=tmp_path, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    data = Path(where.stdout.strip())
    assert data.is_relative_to(site)
    for name in ("corpus", "index", "web/templates", "web/static"):
        shipped = {file.name for file in (REPOSITORY / name).iterdir()}
        assert {file.name for file in (data / name).iterdir()} == shipped
