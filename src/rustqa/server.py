"""Runs the API and the chat page on one address until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import closing
from functools import partial
from multiprocessing import connection, parent_process
from typing import TYPE_CHECKING, Any

from rustqa import logs
from rustqa.api import create_app
from rustqa.errors import InputError
from rustqa.feedback import FeedbackFile
from rustqa.following import IndexOnDisk
from rustqa.opening import check_settings, open_pipeline
from rustqa.policy import Policy
from rustqa.serving import Serving, check_workers
from rustqa.settings import Settings
from rustqa.upkeep import upkeep_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Config

log = logging.getLogger(__name__)

# Seconds that requests may still take once the server is told to stop.
_DRAIN = 30


class _Told(SystemExit):
    """SIGTERM came; uvicorn raises it once more when what had begun has ended."""


def serve(settings: Settings, serving: Serving) -> None:
    """Serves until told to stop; a missing or stale index is built first.

    SIGTERM lets requests that have begun end, SIGHUP takes up the index and the API keys anew.
    Raises InputError if the address cannot be listened on, the feedback or articles not kept, or
    the options do not go together.
    """
    check_workers(settings, serving)
    if hasattr(signal, "SIGHUP"):
        # Until there is something to take up anew.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # What is wrong with the options is told before anything is begun.
    check_settings(settings)
    make_app = _app_of(settings, serving)
    try:
        _serve(settings, serving, make_app)
    except _Told:
        # Who was told to stop, and has, has done well. What still loads is not waited for.
        logging.shutdown()
        os._exit(0)


def _serve(settings: Settings, serving: Serving, make_app: Callable[[], FastAPI]) -> None:
    with closing(listen(serving.host, serving.port)) as listening:
        signal.signal(signal.SIGTERM, _on_terminate)
        shown = f"[{serving.host}]" if ":" in serving.host else serving.host
        url = f"http://{shown}:{listening.getsockname()[1]}/"
        logs.set_up(serving.log, serving.policy.log_questions)
        log.warning("serving on %s (Ctrl-C stops)", url)
        if serving.open_page:
            # The socket listens already, so the page waits for the server instead of failing.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        if serving.workers > 1:
            _run_workers(settings, serving, listening)
        else:
            import uvicorn

            uvicorn.Server(_config(make_app())).run(sockets=[listening])


def _on_terminate(*_: object) -> None:
    raise _Told(0)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises InputError if it cannot."""
    if not 0 <= port <= 65535:
        raise InputError(f"{port} is no port; choose one from 0 to 65535 with --port")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family)
        # Connections inherit it; without it the end of an answer waits some 40 ms for the client to
        # acknowledge its beginning. asyncio sees to it only for sockets that it made itself.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except socket.gaierror as error:
        reason = str(error.strerror)
    except UnicodeError:
        reason = "not a name of a host"
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    raise InputError(
        f"cannot listen on {host}:{port} ({reason}); choose another with --port or --host"
    )


def _app_of(settings: Settings, serving: Serving) -> Callable[[], FastAPI]:
    """What makes the application; raises InputError if it cannot be made."""
    feedback = FeedbackFile(settings.feedback) if settings.feedback else None
    kept_up = serving.watch or settings.add_to is not None
    upkeep = upkeep_of(settings, serving.watch, settings.add_to) if kept_up else None

    def make() -> FastAPI:
        logs.set_up(serving.log, serving.policy.log_questions)
        wake = threading.Event()
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, _hang_up(serving.policy, wake))
        return create_app(
            lambda: open_pipeline(settings, build=True), feedback, upkeep, serving.policy,
            None if settings.store else IndexOnDisk(settings), wake,
            # A worker takes no request from those that can answer it.
            loaded_first=serving.workers > 1,
        )  # fmt: skip

    return make


def _hang_up(policy: Policy, wake: threading.Event) -> Callable[..., None]:
    """What is done at SIGHUP: the keys and the index are read anew, unless it says that the
    terminal is gone."""
    in_terminal = _has_terminal()

    def on_hang_up(*_: object) -> None:
        if in_terminal and not _has_terminal():
            signal.raise_signal(signal.SIGTERM)
            return
        if policy.keys is not None:
            try:
                policy.keys.reload()
                log.warning("%d API keys are accepted now", len(policy.keys))
            except InputError as error:
                log.error("the API keys are as they were before: %s", error)
        wake.set()

    return on_hang_up


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _config(app: Any, workers: int = 1) -> Config:
    import uvicorn

    from rustqa.connections import KEEP_ALIVE, BoundedProtocol

    return uvicorn.Config(
        app,
        factory=workers > 1,
        workers=workers,
        http=BoundedProtocol,
        timeout_keep_alive=KEEP_ALIVE,
        backlog=256,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN,
        # Of a worker that loads a large index.
        timeout_worker_healthcheck=_DRAIN,
    )


def _run_workers(settings: Settings, serving: Serving, listening: socket.socket) -> None:
    """Serves with several processes, of which one that ends is begun anew."""
    from uvicorn.supervisors.multiprocess import Multiprocess, Process

    from rustqa.metrics import counted_together, forget_process

    in_terminal = _has_terminal()

    class Workers(Multiprocess):
        def handle_hup(self) -> None:
            if in_terminal and not _has_terminal():
                self.should_exit.set()
                return
            for process in self.processes:
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGHUP)

        def init_processes(self) -> None:
            for _ in range(self.processes_num):
                self.handle_signals()
                if self.should_exit.is_set():
                    return
                process = Process(self.config, self.sockets)
                process.start()
                self.processes.append(process)

        def keep_subprocess_alive(self) -> None:
            before = {process.pid for process in self.processes}
            super().keep_subprocess_alive()
            for pid in before - {process.pid for process in self.processes}:
                if pid is not None:
                    log.warning("worker %d ended; another takes its place", pid)
                    forget_process(pid)

    with counted_together():
        app = partial(_make_in_worker, settings, serving)
        Workers(_config(app, serving.workers), sockets=[listening]).run()


def _make_in_worker(settings: Settings, serving: Serving) -> FastAPI:
    """The application of one worker, which ends when those who began it are gone."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()
    return _app_of(settings, serving)()
