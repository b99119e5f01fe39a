"""How the weights that rustqa ships were fitted; never imported when a question is asked."""

from __future__ import annotations

import sys
from functools import wraps
from typing import Protocol

from rustqa.errors import RustQAError


class Main(Protocol):
    """A command: its arguments (None: the process's own) in, its exit code out."""

    def __call__(self, arguments: list[str] | None = None) -> int:
        """Runs the command."""


def errors_in_a_line(main: Main) -> Main:
    """The command, whose errors a person can mend end in a line and not in a traceback."""

    @wraps(main)
    def mended(arguments: list[str] | None = None) -> int:
        try:
            return main(arguments)
        except RustQAError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_code

    return mended
