"""What the machine gives: processors, memory, disk, and the libraries installed on it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from rustqa.cgroups import memory_left
from rustqa.durable import NO_ROOM
from rustqa.errors import RustQAError
from rustqa.runtime import allowed_processors, processors

# What the program takes beside its index.
PROGRAM = 200 << 20
# More than may be left of a disk that is called full.
_TRIED = 1 << 16
_OPENMP = "OMP_NUM_THREADS"
_THREADS = (_OPENMP, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class MachineError(RustQAError):
    """The machine, or what is installed on it, is not as rustqa needs it."""


def threads() -> str:
    """How many processors there are for this process; raises MachineError if libraries would start
    more threads than that."""
    usable, allowed = processors(), allowed_processors()
    for name in _THREADS:
        wanted = os.environ.get(name, "").partition(",")[0].strip()
        if wanted.isdecimal() and int(wanted[:9]) > usable:
            raise MachineError(
                f"{name}={wanted:.9} starts more threads than the {usable} processors that this "
                f"process may use; export {name}={usable}"
            )
    if allowed > usable and not os.environ.get(_OPENMP):
        raise MachineError(
            f"this process has the time of {usable} processors, but libraries start {allowed} "
            f"threads; export {_OPENMP}={usable}"
        )
    return f"{usable} of the machine's {os.cpu_count()} processors"


def memory(mapped: int) -> str:
    """How much memory is free; raises MachineError if the program and an index of `mapped` bytes
    do not fit into it."""
    free = available_memory()
    needed = f"{_size(PROGRAM)} for the program, {_size(mapped)} for the index"
    if free is None:
        return f"{needed}; what is free cannot be told here"
    if free < PROGRAM + mapped:
        raise MachineError(
            f"{_size(free)} free, less than {needed}, which is then read from the disk again and "
            "again; give the machine or the container more, or index fewer articles"
        )
    return f"{_size(free)} free; {needed}"


def available_memory() -> int | None:
    """Bytes that this process can still take; None where the system does not tell."""
    found = [memory_left()]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            found.append(1024 * int(amount.split()[0]))
    return min((free for free in found if free is not None), default=None)


def disk(folder: Path, needed: int) -> str:
    """How much room there is for another `needed` bytes beside the folder; raises MachineError if
    there is not enough."""
    free = shutil.disk_usage(nearest(folder.absolute().parent)).free
    if free < needed:
        raise MachineError(
            f"{_size(free)} free beside {folder}, where a new index of {_size(needed)} is written "
            "before the old one goes; make room or name another place with --index"
        )
    return f"{_size(free)} free, {_size(needed)} to index anew"


def replaceable(folder: Path) -> str:
    """Tries beside the folder what it takes to replace it; raises MachineError if it cannot be
    done."""
    folder = folder.resolve()
    if folder.is_mount():
        raise MachineError(
            f"{folder} is a mount point, whose place no new index can take; mount the folder above "
            f"it, {folder.parent}, instead"
        )
    place = nearest(folder.parent)
    try:
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=place) as scratch:
            made, beside = Path(scratch, "tried"), Path(f"{scratch}-tried")
            made.mkdir()
            made.rename(beside)
            beside.rename(made)
    except OSError as error:
        raise MachineError(
            f"{place} cannot be written ({error.strerror}), so nothing can be indexed anew; "
            f"make it writable: chmod u+w {shlex.quote(str(place))}, or name another place with "
            "--index"
        ) from None
    return f"{folder} can be replaced"


def libraries(extras: Collection[str] = ()) -> str:
    """Whether those that rustqa needs, with its `extras`, are of versions it works with; raises
    MachineError naming those that are not."""
    from packaging.requirements import Requirement

    try:
        needed = list(map(Requirement, requires("rustqa") or ()))
    except PackageNotFoundError:
        raise MachineError("rustqa itself is not installed; pip install rustqa") from None
    wrong = []
    faults = []
    for item in needed:
        marker = item.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        found = _version(item.name)
        if found is None or not item.specifier.contains(found, prereleases=True):
            wrong.append(f"{item.name}{item.specifier}")
            faults.append(f"{item.name} {found or 'is missing'}")
    if wrong:
        raise MachineError(f"{', '.join(faults)}; run: pip install {shlex.join(wrong)}")
    return f"of the versions that rustqa {version('rustqa')} works with"


def nearest(path: Path) -> Path:
    """The path, or of the folders above it the nearest that exists."""
    # What may not be looked at is for Path.exists() an error.
    return next(place for place in (path, *path.absolute().parents) if os.path.exists(place))


def try_writing(folder: Path, otherwise: str) -> None:
    """Puts a small file on the disk there, or where the folder would be made, and removes it, as
    permissions do not tell of room; raises MachineError with the system's reason and what to do,
    or `otherwise`."""
    try:
        # A name that begins with a dot is no article's.
        with NamedTemporaryFile(prefix=".rustqa-", dir=nearest(folder)) as file:
            file.write(os.urandom(_TRIED))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        mend = "make room there" if error.errno in NO_ROOM else "make it writable"
        raise MachineError(
            f"{folder} cannot be written ({error.strerror}); {mend} or {otherwise}"
        ) from None


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _size(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
