"""The command `rustqa serve`: what it can be told, and to whom it serves."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustqa.errors import InputError
from rustqa.settings import Settings

if TYPE_CHECKING:
    from rustqa.serving import Serving

_DONE = 0
_PUBLIC_RATE = 120
_MOST = 1_000_000
_MOST_WORKERS = 64
_FORMATS = ("text", "json")
_SWITCH = {"": False, "0": False, "false": False, "no": False, "off": False}
_SWITCH |= {"1": True, "true": True, "yes": True, "on": True}


def serve_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa serve` can be told."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("-p", "--port", type=int, default=8000, help="port (%(default)s)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--watch", action="store_true", help="take up changes of the articles")
    parser.add_argument(
        "--add-to", type=Path, metavar="DIR",
        help="let whoever opens the page add articles; write them into this folder (RUSTQA_ADD_TO)",
    )  # fmt: skip
    parser.add_argument(
        "--feedback", type=Path, metavar="FILE",
        help="ask whether answers are right; keep what is said in this file (RUSTQA_FEEDBACK)",
    )  # fmt: skip
    access = parser.add_argument_group("who may ask")
    access.add_argument(
        "--api-keys", type=Path, metavar="FILE",
        help="ask for one of the keys in this file, one a line (RUSTQA_API_KEYS; or the key itself "
        "in RUSTQA_API_KEY)",
    )  # fmt: skip
    access.add_argument(
        "--without-key",
        action="store_true",
        help="serve beyond this machine without asking for a key",
    )
    access.add_argument(
        "--allow-host", action="append", metavar="NAME",
        help="a name that the server answers to; may be given again (RUSTQA_ALLOW_HOST)",
    )  # fmt: skip
    access.add_argument(
        "--cors", action="append", metavar="ORIGIN",
        help="a site whose pages may ask; may be given again (RUSTQA_CORS)",
    )  # fmt: skip
    access.add_argument(
        "--embed", action="append", metavar="ORIGIN",
        help="a site that may show the page in a frame; may be given again (RUSTQA_EMBED)",
    )  # fmt: skip
    load = parser.add_argument_group("how much at once")
    load.add_argument(
        "--workers", type=int, metavar="N", help="so many processes (RUSTQA_WORKERS; 1)"
    )
    load.add_argument(
        "--queue", type=int, metavar="N", help="so many requests may wait (RUSTQA_QUEUE; 64)"
    )
    load.add_argument(
        "--rate", type=int, metavar="N",
        help="requests a minute of one key or address, 0: any number (RUSTQA_RATE; any number on "
        f"this machine, {_PUBLIC_RATE} beyond)",
    )  # fmt: skip
    logged = parser.add_argument_group("what is logged")
    logged.add_argument(
        "--log", choices=_FORMATS, help="json: a line for each request, too (RUSTQA_LOG; text)"
    )
    logged.add_argument(
        "--log-questions", action="store_true", help="log what is asked (RUSTQA_LOG_QUESTIONS=1)"
    )


def run_serve(
    options: argparse.Namespace, settings: Settings, env: Mapping[str, str] = os.environ
) -> int:
    """Serves until interrupted; returns the exit code."""
    from rustqa.server import serve

    serve(settings, serving_of(options, env))
    return _DONE


def serving_of(options: argparse.Namespace, env: Mapping[str, str]) -> Serving:
    """What is served how, by options and variables; raises InputError for what cannot be."""
    from rustqa.access import Keys, host_names, is_address, is_loopback, origins
    from rustqa.policy import QUEUE, Policy
    from rustqa.serving import Serving

    file = options.api_keys or (
        Path(env["RUSTQA_API_KEYS"]) if env.get("RUSTQA_API_KEYS") else None
    )
    key = env.get("RUSTQA_API_KEY") or None
    keys = Keys(file, key) if file or key else None
    public = not is_loopback(options.host)
    if public and keys is None and not options.without_key:
        raise InputError(
            f"{options.host} can be reached from other machines; ask for a key with --api-keys "
            "FILE, or serve everybody with --without-key"
        )
    named = options.allow_host or _listed(env, "RUSTQA_ALLOW_HOST")
    own = [] if is_address(options.host) else [options.host]
    log: Any = options.log or env.get("RUSTQA_LOG") or "text"
    if log not in _FORMATS:
        raise InputError(f"RUSTQA_LOG is {log!r}; set it to {' or '.join(_FORMATS)}")
    rate = _number(options.rate, env, "RUSTQA_RATE", _PUBLIC_RATE if public else 0)
    policy = Policy(
        keys=keys,
        # Who has a key means this server, whatever it is called.
        hosts=None if keys and not named else host_names([*named, *own]),
        cors=origins(options.cors or _listed(env, "RUSTQA_CORS")),
        embed=origins(options.embed or _listed(env, "RUSTQA_EMBED")),
        rate=rate or None,
        queue=_number(options.queue, env, "RUSTQA_QUEUE", QUEUE),
        log_questions=options.log_questions or _switched_on(env, "RUSTQA_LOG_QUESTIONS"),
    )
    return Serving(
        host=options.host,
        port=options.port,
        open_page=options.open,
        watch=options.watch,
        workers=_number(options.workers, env, "RUSTQA_WORKERS", 1, 1, _MOST_WORKERS),
        log=log,
        policy=policy,
    )


def _switched_on(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "")
    if value.lower() not in _SWITCH:
        raise InputError(f"{name} is {value!r}; set it to 1 or 0")
    return _SWITCH[value.lower()]


def _listed(env: Mapping[str, str], name: str) -> list[str]:
    return [item for item in env.get(name, "").split(",") if item.strip()]


def _number(
    given: int | None,
    env: Mapping[str, str],
    name: str,
    default: int,
    least: int = 0,
    most: int = _MOST,
) -> int:
    """The number given, else that of the variable; raises InputError if it is none."""
    value = given if given is not None else env.get(name) or default
    option = "--" + name.removeprefix("RUSTQA_").lower()
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise InputError(
            f"{option} ({name}) is {value!r}; give a whole number from {least} to {most:,}"
        )
    return number
