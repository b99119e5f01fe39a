"""The rules of the house: which module may import what, and how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fakes import REPOSITORY

PACKAGE = REPOSITORY / "src" / "rustqa"
FILES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
STAGES = frozenset(
    {"furniture", "corpus", "passages", "spelling", "agreement"}
    | {name for name in FILES if name.startswith("store")}
    | {"encoder", "onnx_cache", "onnx_encoder", "torch_encoder"}
    | {"retriever", "reader", "windows", "citations", "conversation", "small_talk", "accounts"}
    | {"quotations", "verbs", "noun_phrases", "cues", "speakers"}
)
MIDDLEWARE = frozenset({name for name in FILES if name.startswith("middleware.")})
# Each kind of file is a room of its own; what they share lies a floor below.
SOURCES = (
    frozenset({"sources.__init__", "sources.contents", "sources.dates", "sources.reflow"}),
    frozenset({"sources.duplicates", "sources.ignoring", "sources.metadata"}),
    frozenset({"sources.files"}),
    frozenset({"sources.html", "sources.jsonl", "sources.pdf", "sources.text"}),
    frozenset({"sources.reading"}),
)
# Imports point down: a module imports those of lower levels, and of its own only by exception.
LEVELS = (
    frozenset({"__init__", "cgroups", "checksums", "controls", "days", "durable", "errors", "logs"})
    | frozenset({"network", "types", "words"}),
    frozenset({"wanted"}),
    frozenset({"access", "runtime"}),
    frozenset({"limits", "metrics", "policy", "settings"}),
    STAGES,
    *SOURCES,
    frozenset({"checking"}),
    frozenset({"updating"}),
    frozenset({"indexing"}),
    frozenset({"drafts", "feedback", "labelled", "pipeline", "remote_indexing"}),
    frozenset({"examples", "library", "machine", "manual", "opening", "schema"})
    | frozenset({"serving", "terminal"}),
    MIDDLEWARE,
    frozenset({"shelf", "web"}),
    frozenset({"following", "loaded", "upkeep"}),
    frozenset({"articles_api", "asking_api"}),
    frozenset({"api", "evaluate"}),
    frozenset({"connections", "report"}),
    frozenset({"server"}),
    frozenset({"asking_cli", "evaluation_cli", "index_cli", "serving_cli"}),
    frozenset({"doctor"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
HELPERS = frozenset(
    {("errors", "types"), ("corpus", "furniture"), ("reader", "windows")}
    | {("citations", "agreement"), ("reader", "agreement")}
    | {(f"sources.{kind}", "corpus") for kind in ("html", "jsonl", "pdf", "text")}
    | {("encoder", helper) for helper in ("onnx_cache", "onnx_encoder", "torch_encoder")}
    | {("onnx_cache", "onnx_encoder"), ("torch_encoder", "onnx_encoder")}
    | {("noun_phrases", "quotations"), ("noun_phrases", "verbs")}
    | {("cues", "quotations"), ("cues", "verbs"), ("cues", "noun_phrases")}
    | {("speakers", "quotations"), ("speakers", "noun_phrases"), ("speakers", "cues")}
)
# Where a library may be imported; those of the first table never at the top of a module.
LAZY = {
    "faiss": {"store.nearest"},
    "grpc": set(),
    "lxml": set(),
    "onnx": {"network"},
    "onnxruntime": {"runtime"},
    "packaging": {"machine"},
    "pathspec": {"sources.ignoring"},
    "prometheus_client": {"metrics"},
    "pypdf": {"sources.pdf"},
    "qdrant_client": {name for name in FILES if name.startswith("store.qdrant")},
    "safetensors": {"encoder"},
    "sentence_transformers": {"torch_encoder"},
    "tokenizers": {"onnx_encoder", "runtime", "windows"},
    "torch": {"torch_encoder"},
    "trafilatura": {"sources.html"},
    "transformers": {"torch_encoder"},
    "watchfiles": {"upkeep"},
}
WEB = {
    "fastapi": {"api", "articles_api", "asking_api", "loaded", "server"},
    "starlette": {
        "api",
        "articles_api",
        *(name for name in FILES if name.startswith("middleware")),
    },
    "jinja2": {"web"},
    "pydantic": {"articles_api", "loaded", "schema"},
    "uvicorn": {"connections", "server"},
}
JOINING = frozenset({"checking", "indexing", "opening", "pipeline", "remote_indexing", "updating"})
RUN_TIME = [name for name in FILES if not name.startswith("training.")]


def _tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes outside functions and outside what is there for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _run_at_import(node)


def _own(name: str) -> set[str]:
    """The modules of rustqa that a module imports, anywhere in it."""
    found = set()
    for target in _imports(ast.walk(_tree(name))):
        first, _, rest = target.partition(".")
        if first == "rustqa":
            inner = [part for part in (rest, rest.rpartition(".")[0]) if part in FILES]
            found.add(inner[0] if inner else "__init__")
    return found


def _room(name: str) -> str:
    """The folder of a module, or the module itself; a folder's modules may import each other."""
    return name.partition(".")[0]


def _level(name: str) -> int:
    for number, level in enumerate(LEVELS):
        if name in level:
            return number
    pytest.fail(f"src/rustqa/{name}.py has no level yet: give it one in {Path(__file__).name}")


@pytest.mark.parametrize("name", RUN_TIME)
def test_imports_point_down(name: str) -> None:
    """Ground floor, stages, pipeline, front ends; and training is imported by nothing."""
    for other in _own(name):
        assert not other.startswith("training"), f"{name} imports {other}"
        below = _level(other) < _level(name)
        inside = _room(other) == _room(name) and "." in name
        assert below or inside or (name, other) in HELPERS, f"{name} imports {other}"


@pytest.mark.parametrize("name", sorted(STAGES))
def test_stages_know_no_settings(name: str) -> None:
    """What a stage needs is handed to it."""
    assert "settings" not in _own(name)


@pytest.mark.parametrize("name", sorted(set(RUN_TIME) - STAGES - JOINING - {"doctor"}))
def test_stages_are_joined_in_the_pipeline_alone(name: str) -> None:
    """And where its index is made, and where it is opened. Above it a module may use one stage,
    but not put two together; doctor looks at each."""
    rooms = set(map(_room, _own(name) & STAGES))
    assert len(rooms) <= 1, f"{name} imports {rooms}"


@pytest.mark.parametrize("name", RUN_TIME)
def test_libraries_are_imported_in_their_place(name: str) -> None:
    """Each heavy library behind one door, opened only when needed."""
    tree = _tree(name)
    for library in {target.partition(".")[0] for target in _imports(ast.walk(tree))}:
        assert name in {**LAZY, **WEB}.get(library, {name}), f"{name} imports {library}"
    for library in {target.partition(".")[0] for target in _imports(_run_at_import(tree))}:
        assert library not in LAZY, f"{name} imports {library} before it is needed"


@pytest.mark.parametrize("name", FILES)
def test_modules_say_what_they_are_for(name: str) -> None:
    """Each starts with a docstring."""
    assert ast.get_docstring(_tree(name))


@pytest.mark.parametrize(
    "file",
    [*FILES.values(), *sorted((REPOSITORY / "tests").rglob("*.py"))],
    ids=lambda file: str(file.relative_to(REPOSITORY)),
)
def test_files_are_short(file: Path) -> None:
    """No file is longer than 400 lines."""
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("rustqa.cli", {*LAZY, *WEB, "numpy", "sklearn", "scipy", "huggingface_hub"}),
        ("rustqa.pipeline", {*LAZY, *WEB, "sklearn", "scipy", "huggingface_hub"}),
        ("rustqa.doctor", {*LAZY, *WEB, "sklearn", "scipy", "huggingface_hub"}),
    ],
)
def test_importing_loads_nothing_heavy(module: str, absent: set[str]) -> None:
    """`rustqa --help` starts at once, and so does a question."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert module.partition(".")[0] in run.stdout.split()
    assert set(run.stdout.split()) & absent == set()
