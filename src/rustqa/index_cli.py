"""The command `rustqa index`: what it can be told and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rustqa.errors import InputError
from rustqa.settings import Settings, data_root

if TYPE_CHECKING:
    from rustqa.indexing import Indexed
    from rustqa.remote_indexing import Uploaded
    from rustqa.types import PassageStore

_DONE, _TO_MEND = 0, 1
# Of many files with the same fault so many are named.
_NAMED = 50


def index_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa index` can be told."""
    parser.usage = (
        "rustqa index [PATH ...] | add PATH ... | remove ID|PATH ... | list | check  [options]"
    )
    parser.add_argument(
        "what", nargs="*", metavar="PATH",
        help="folders and files of articles (default: those indexed before); or: add PATH …, which "
        "keeps the others; remove ID|PATH …; list; check (write ./add for a folder of that name)",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="take nothing over from the old index")
    parser.add_argument("-j", "--json", action="store_true", help="list, check: print JSON")


def run_index(options: argparse.Namespace, settings: Settings) -> int:
    """Does what is wanted; returns the exit code."""
    action, *rest = options.what or ("",)
    actions: dict[str, Callable[[], int]] = {
        "add": lambda: _build(settings, add=_some(rest, "add PATH …"), fresh=options.fresh),
        "remove": lambda: _build(settings, remove=_some(rest, "remove ID|PATH …")),
        "list": lambda: _list(settings, options.json),
        "check": lambda: _check(settings, options.json),
    }
    changing = action not in ("list", "check", "") and not settings.store
    if changing and options.index is None and settings.index == data_root() / "index":
        raise InputError(
            "this would change the index that comes with rustqa; name one of your own, as in: "
            "rustqa index my-articles/ --index my-index/"
        )
    if action in ("list", "check") and rest:
        raise InputError(f"rustqa index {action} takes nothing more; leave {rest[0]!r} out")
    if action in actions:
        return actions[action]()
    return _build(settings, sources=options.what, fresh=options.fresh)


def _some(names: Sequence[str], usage: str) -> Sequence[str]:
    if not names:
        raise InputError(f"nothing is named; write: rustqa index {usage}")
    return names


def _build(
    settings: Settings,
    sources: Sequence[str] = (),
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    fresh: bool = False,
) -> int:
    folders, further = (list(map(Path, names)) for names in (sources, add))
    indexed: Indexed | Uploaded
    if settings.store:
        from rustqa.remote_indexing import upload

        indexed = upload(settings, folders, further, remove, fresh)
    else:
        from rustqa.indexing import build_index

        indexed = build_index(settings, folders, further, remove, fresh)
    _report(indexed)
    store: PassageStore = indexed.store
    print(
        f"{settings.store or settings.index}: {len(store.documents):,} article(s), "
        f"{len(store):,} passages, index {store.id} ({indexed.read:,} read, {indexed.kept:,} as "
        f"before, {indexed.gone:,} gone)"
    )
    return _TO_MEND if indexed.problems or indexed.old_problems else _DONE


def _report(indexed: Indexed | Uploaded) -> None:
    """Says on standard error what could not be used and what stands there twice."""
    for head, problems in (
        ("repeat other articles", indexed.repeats),
        ("could not be used", indexed.problems),
    ):
        if problems:
            print(f"rustqa: {len(problems):,} {head}:", file=sys.stderr)
        for name, reason in problems[:_NAMED]:
            print(f"  {name}: {reason}", file=sys.stderr)
        if len(problems) > _NAMED:
            print(f"  and {len(problems) - _NAMED:,} more", file=sys.stderr)
    if indexed.old_problems:
        print(
            f"rustqa: {len(indexed.old_problems):,} could not be used before either; "
            "see: rustqa index check",
            file=sys.stderr,
        )


def _list(settings: Settings, as_json: bool) -> int:
    from rustqa.checking import stored
    from rustqa.terminal import heading

    store = stored(settings)
    found = store.list_documents(count=len(store.documents)).documents
    if as_json:
        fields = ("id", "title", "date", "source", "url", "sha256")
        rows = [{name: getattr(document, name) for name in fields} for document in found]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for document in found:
            title, date = heading(document.title, None), heading(document.date or "", None)
            print(f"{date:10}  {document.id}  {title}")
    return _DONE


def _check(settings: Settings, as_json: bool) -> int:
    if settings.store:
        from rustqa.remote_indexing import check_collection

        found = check_collection(settings)
    else:
        from rustqa.checking import check_index

        found = check_index(settings)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for what, names in found.items():
            for name in names:
                print(f"{what}: {name}")
        if not any(found.values()):
            print(
                f"{settings.store}: whole, and made by this encoder"
                if settings.store
                else f"{settings.index}: whole, and as its articles are"
            )
    return _TO_MEND if any(found.values()) else _DONE
