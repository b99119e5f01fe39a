"""Runs the API and the chat page on one address until told to stop."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from contextlib import closing

from rustqa.api import create_app
from rustqa.errors import InputError
from rustqa.feedback import FeedbackFile
from rustqa.opening import open_pipeline
from rustqa.settings import Settings
from rustqa.upkeep import upkeep_of


def serve(
    settings: Settings, host: str, port: int, open_page: bool = False, watch: bool = False
) -> None:
    """Serves until interrupted; a missing or stale index is built first, and with `watch` brought
    up to date when its articles change.

    Raises InputError if the address cannot be listened on, or the feedback or articles not kept.
    """
    import uvicorn

    feedback = FeedbackFile(settings.feedback) if settings.feedback else None
    kept_up = watch or settings.add_to is not None
    upkeep = upkeep_of(settings, watch, settings.add_to) if kept_up else None
    with closing(listen(host, port)) as listening:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listening.getsockname()[1]}/"
        sys.stderr.write(f"rustqa: serving on {url} (Ctrl-C stops)\n")
        if open_page:
            # The socket listens already, so the page waits for the server instead of failing.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        app = create_app(lambda: open_pipeline(settings, build=True), feedback, upkeep)
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


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
