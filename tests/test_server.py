"""The server as a process of its own, and the wheel as a stranger installs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from fakes import REPOSITORY
from rustqa import server
from rustqa.access import Keys
from rustqa.cli import main
from rustqa.errors import StoreError
from rustqa.opening import open_pipeline
from rustqa.policy import Policy
from rustqa.server import listen
from rustqa.settings import Settings
from server_processes import Process, index, serving
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


@pytest.mark.parametrize(
    ("variable", "value", "code", "message"),
    [
        ("RUSTQA_STORE", "foo", 2, "'foo' is no address of a collection"),
        ("RUSTQA_ENCODER", "./nowhere", 4, "is neither a local folder nor to be had"),
        ("RUSTQA_READER", "nowhere", 4, "reader.json is missing"),
    ],
)
def test_what_no_waiting_mends(
    variable: str, value: str, code: int, message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """It is refused at once, as who keeps the server running would not see it otherwise."""
    monkeypatch.setenv(variable, value)
    assert main(["serve", "--port", "0"]) == code
    assert message in capsys.readouterr().err


def test_of_a_mistyped_index_nothing_is_made(tmp_path: Path) -> None:
    """There may be one later; until then the folder stays as it is."""
    settings = replace(Settings.from_env({}), index=tmp_path / "deep" / "index")
    with pytest.raises(StoreError, match=f"no index at {settings.index}; build it"):
        open_pipeline(settings, build=True)
    assert list(tmp_path.iterdir()) == []


def test_a_hang_up_reads_the_keys_and_the_index_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys that cannot be read are named, and those known are kept."""
    file = tmp_path / "keys"
    file.write_text("the-first-key-of-all\n")
    keys, wake = Keys(file), Event()
    hang_up = server._hang_up(Policy(keys=keys), wake)
    file.write_text("the-second-key-of-all\n")
    hang_up()
    assert wake.is_set()
    assert keys.holder("the-second-key-of-all")
    file.unlink()
    hang_up()
    assert "the API keys are as they were before" in caplog.text
    assert keys.holder("the-second-key-of-all")


def test_a_hang_up_of_the_terminal_ends_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes the window wants no server left behind."""
    told: list[int] = []
    terminals = iter([True, False])
    monkeypatch.setattr(server, "_has_terminal", lambda: next(terminals))
    monkeypatch.setattr(signal, "raise_signal", told.append)
    wake = Event()
    server._hang_up(Policy(), wake)()
    assert told == [signal.SIGTERM]
    assert not wake.is_set()


LOADING = """
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from rustqa import cli, server

def load(*_, **__):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(sleep, 300).result()

server.open_pipeline = load
raise SystemExit(cli.main(["serve", "--port", "0"]))
"""


def test_a_stop_does_not_wait_for_what_is_loaded() -> None:
    """However large it is; who was told to stop has done well all the same."""
    with subprocess.Popen(
        [sys.executable, "-c", LOADING], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            made = Process(process, process.stderr.readline().split(" on ")[1].split()[0])
            wait_until(lambda: made.get("healthz")[0] == 200)
            assert made.stop(seconds=60) == 0
        finally:
            process.kill()
    assert "Traceback" not in made.log


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
    assert "articles cannot be added there (Not a directory); name" in capsys.readouterr().err


@pytest.mark.model
def test_serves_answers_and_stops_when_told(tmp_path: Path, model_cache: Path) -> None:
    """It listens at once, becomes ready, answers, and ends quietly at Ctrl-C."""
    with serving(tmp_path, model_cache) as served:
        status, answer = served.post("ask", {"question": "Who loaded the gun?"})
        assert (status, answer["answer"]) == (200, "Hannah Gutierrez")
        assert served.stop(signal.SIGINT) in (0, 130)
        assert "Traceback" not in served.log


@pytest.mark.model
def test_serves_what_is_added_and_what_changes(tmp_path: Path, model_cache: Path) -> None:
    """`--add-to` and `--watch` over articles of one's own, with the real model."""
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "oak.txt").write_text("A storm felled the old oak of Saltby on Sunday.")
    index(tmp_path, model_cache, str(articles))
    options = ("--index", "index", "--watch", "--add-to", "added")
    with serving(tmp_path, model_cache, *options) as served:
        frost = {"title": "Frost", "text": "The river froze on Tuesday."}
        status, added = served.post("articles", frost)
        assert (status, added["id"]) == (201, "frost")
        (articles / "hail.txt").write_text("It hailed in Leeds on Thursday.")
        wait_until(lambda: len(served.get("articles")[1]) == 3)
        assert served.stop(signal.SIGINT) in (0, 130)
        assert "Traceback" not in served.log


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
