"""Work that nobody waits for any more is given up at the next step that takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

from rustqa.errors import AbandonedError

_given_up: ContextVar[Event | None] = ContextVar("given_up", default=None)


@contextmanager
def until(given_up: Event) -> Iterator[None]:
    """What is begun inside, in threads that take over its context, too, is wanted until the event
    is set."""
    token = _given_up.set(given_up)
    try:
        yield
    finally:
        _given_up.reset(token)


def check() -> Callable[[], None]:
    """A function, for any thread, that raises AbandonedError once the work begun here is given
    up."""
    given_up = _given_up.get()

    def still_wanted() -> None:
        if given_up is not None and given_up.is_set():
            raise AbandonedError("this was given up, as nobody waited for it")

    return still_wanted
