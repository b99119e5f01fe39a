"""No file that rustqa reads can make it run what the file says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import REPOSITORY
from rustqa.settings import Settings

PACKAGE = REPOSITORY / "src" / "rustqa"
FILES = sorted(PACKAGE.rglob("*.py"))
# Formats whose files are programs, and what runs text.
PROGRAMS = frozenset({"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "pandas"})
RUNNING = frozenset({"eval", "exec", "compile", "__import__"})
YAML = frozenset({"load", "load_all", "full_load", "unsafe_load"})


def _calls(tree: ast.AST) -> Iterator[tuple[str, dict[str, str]]]:
    """The dotted name of each function called, and its keyword arguments as they are written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = {each.arg: ast.unparse(each.value) for each in node.keywords if each.arg}
            yield ast.unparse(node.func), given


def faults(source: str) -> list[str]:
    """What in a program reads a file as a program, or runs text."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"imports {name}" for name in names if name.partition(".")[0] in PROGRAMS]
    for name, given in _calls(tree):
        module, _, function = name.rpartition(".")
        safe = {
            "np": function not in {"load", "save", "savez", "savez_compressed"}
            or given.get("allow_pickle") == "False",
            "torch": function != "load" or given.get("weights_only") == "True",
            "yaml": function not in YAML,
            "": function not in RUNNING,
        }
        if not safe.get(module, True):
            found.append(f"calls {name}")
        if given.get("trust_remote_code", "False") != "False":
            found.append(f"{name} trusts remote code")
        if name == "SentenceTransformer" and "trust_remote_code" not in given:
            found.append(f"{name} is not told to trust no remote code")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_file_is_read_as_a_program(file: Path) -> None:
    """No pickle in any shape, no text that is run, no model's own code."""
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import os, marshal as m",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "np.save(file, array)",
        "torch.load(file)",
        "eval(text)",
        "exec(text)",
        "yaml.load(text)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "SentenceTransformer(name)",
    ],
)
def test_what_would_be_a_fault_is_found(source: str) -> None:
    """Each of these would let a file run a program."""
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "np.load(file, mmap_mode='r', allow_pickle=False)",
        "model.eval()",
        "re.compile(text)",
        "torch.load(file, weights_only=True)",
        "yaml.safe_load(text)",
        "SentenceTransformer(name, trust_remote_code=False)",
    ],
)
def test_what_is_safe_is_let_be(source: str) -> None:
    """Names that only look like it."""
    assert faults(source) == []


def test_settings_do_not_show_their_key() -> None:
    """Whoever logs the settings logs no secret."""
    settings = Settings.from_env({"RUSTQA_QDRANT_API_KEY": "not-to-be-seen"})
    assert settings.store_key == "not-to-be-seen"
    assert "not-to-be-seen" not in f"{settings} {settings!r}"
