"""Puts an index folder in the place of another, one process at a time, whatever stops it."""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rustqa.durable import NO_ROOM, make_folder, settle, settle_all
from rustqa.errors import LockedError, StoreError


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` when this is left, on the disk
    too; on an error the old one stays. Raises StoreError if the system lets nothing be written."""
    import shutil
    import tempfile

    with _writing(folder):
        make_folder(folder.parent)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made = scratch / "new"
            made.mkdir()
            yield made
            settle_all(made)
            if folder.exists():
                # A save that was cut off before it cleared up may have left one.
                shutil.rmtree(previous(folder), ignore_errors=True)
                folder.rename(previous(folder))
            try:
                made.rename(folder)
            except OSError:
                restore(folder)
                raise
            # Not before the new one is there for good is the old one let go.
            settle(folder.parent)
            shutil.rmtree(previous(folder), ignore_errors=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps others from making this index meanwhile; raises LockedError if one is at it.

    What a process that was killed left beside the index is cleared away, or put back in place.
    """
    folder = folder.resolve()
    file = folder.parent / f".{folder.name}.lock"
    with _writing(folder):
        make_folder(folder.parent)
        lock = file.open("w")
    with lock:
        if not _is_had(lock, file):
            raise LockedError(
                f"another process is making the index at {folder}; try again when it is done"
            )
        try:
            with _writing(folder):
                _clear(folder)
            yield
        finally:
            file.unlink(missing_ok=True)


def previous(folder: Path) -> Path:
    """Where an index lies while another takes its place."""
    return folder.with_name(f".{folder.name}-previous")


def restore(folder: Path) -> None:
    """Puts the index back that was put aside, if nothing took its place."""
    if previous(folder).is_dir() and not folder.exists():
        previous(folder).rename(folder)


def command(folder: Path) -> str:
    """What a person types to have the index there made anew."""
    return f"rustqa index --index {shlex.quote(str(folder))}"


def _clear(folder: Path) -> None:
    import shutil

    restore(folder)
    if folder.exists():
        shutil.rmtree(previous(folder), ignore_errors=True)
    # As `mkdtemp` names them, so that those of an index with a longer name are left alone.
    left = re.compile(rf"\.{re.escape(folder.name)}-[a-z0-9_]{{8}}")
    for path in folder.parent.iterdir():
        if left.fullmatch(path.name) and path != previous(folder) and _is_scratch(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_scratch(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and {i.name for i in path.iterdir()} <= {"new"}


def _is_had(lock: IO[str], file: Path) -> bool:
    """Whether this process alone has the lock now; always where the system knows no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have taken the file away between the opening and the locking.
        return os.fstat(lock.fileno()).st_ino == file.stat().st_ino
    except OSError:
        return False


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Says what to do where the system lets no index be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOENT):
            raise StoreError(
                f"another process is writing the index at {folder}; try again when it is done"
            ) from None
        mend = "make room there" if error.errno in NO_ROOM else "make the folder writable"
        raise StoreError(
            f"cannot write the index at {folder} ({error.strerror or error}); "
            f"{mend} or name another with --index"
        ) from None
