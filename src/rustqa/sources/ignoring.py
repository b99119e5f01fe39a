"""Which files a .rustqaignore leaves out: gitignore's rules, each file's for its own folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rustqa.errors import CorpusError
from rustqa.sources.contents import decode, read_bytes, reason_of

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".rustqaignore"
_MAX_BYTES = 1_000_000
# Each star more takes as many times as long to compare as a name has letters.
_MAX_STARS_IN_NAME, _MAX_STARS = 4, 12
# Three or more in a row mean what one does.
_STARS = re.compile(r"\*{3,}")

# The rules that hold in a folder: those of the outermost folder first, each with its folder's name.
Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]


def read_rules(file: Path, folder: str, outer: Rules) -> Rules:
    """The outer rules and those in the file, which hold below the folder (its name ends in /)."""
    from pathspec import GitIgnoreSpec

    lines = _STARS.sub("*", decode(read_bytes(file, _MAX_BYTES, "shorten it"))).splitlines()
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            continue
        if line.count("*") > _MAX_STARS or any(
            name.count("*") > _MAX_STARS_IN_NAME for name in line.split("/")
        ):
            raise CorpusError(
                f"too many stars in line {number}; write at most {_MAX_STARS_IN_NAME} in a name, "
                f"{_MAX_STARS} in a line"
            )
    try:
        return (*outer, (folder, GitIgnoreSpec.from_lines(lines)))
    except (ValueError, re.error) as error:
        reason = reason_of(error)
        raise CorpusError(f"not in gitignore's syntax ({reason}); correct it") from None


def is_ignored(name: str, rules: Rules) -> bool:
    """Whether the rules leave out what has this name; a folder's ends in /."""
    for folder, spec in reversed(rules):
        verdict = spec.check_file(name[len(folder) :]).include
        if verdict is not None:
            return verdict
    return False
