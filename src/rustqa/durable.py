"""Writes files so that they are on the disk, whole, before anything relies on them."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

# What the system says where there is no room: on the disk, in a quota, in the longest file allowed.
NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)

_AT_ONCE = 16


class Written:
    """A file that is being written, and the checksum of what was to be in it."""

    def __init__(self, stream: BinaryIO) -> None:
        """Takes a stream whose end is where the file ends."""
        self._stream = stream
        self._digest = hashlib.sha256()

    def write(self, data: Buffer) -> int:
        """Writes all of it, or raises OSError."""
        self._digest.update(data)
        return self._stream.write(data)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of all that was written."""
        return self._digest.hexdigest()


@contextmanager
def writing(file: Path) -> Iterator[Written]:
    """A file to be written anew; it is on the disk once it, or its folder, is settled."""
    with file.open("wb") as stream:
        yield Written(stream)


def settle(path: Path) -> None:
    """Puts on the disk what a file holds, or which files a folder does if the system can."""
    folder = path.is_dir()
    if folder and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems, those of other machines among them, know it of files alone.
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def settle_all(folder: Path) -> None:
    """Puts a folder and its files on the disk: at once, as a disk takes many in the time of one."""
    with ThreadPoolExecutor(_AT_ONCE, "settling") as pool:
        list(pool.map(settle, [folder, *folder.iterdir()]))


def make_folder(folder: Path) -> None:
    """Makes the folder, with those that it lies in, to stay."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        settle(path.parent)
