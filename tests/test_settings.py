"""Settings: defaults, RUSTQA_* variables, and what replaces them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustqa.errors import InputError
from rustqa.settings import (
    DEFAULT_ENCODER,
    DEFAULT_THRESHOLD,
    SHIPPED_READER,
    Settings,
    data_root,
    probability,
)


def test_defaults_point_at_what_is_shipped() -> None:
    """Without variables the shipped index and reader and the packaged encoder are used."""
    settings = Settings.from_env({})
    assert settings.index == data_root() / "index"
    assert settings.corpus is None
    assert settings.encoder == DEFAULT_ENCODER
    assert settings.reader == SHIPPED_READER
    assert settings.threshold == DEFAULT_THRESHOLD
    assert settings.cache.name == "rustqa"


def test_data_root_holds_the_shipped_folders() -> None:
    """The corpus and its index lie under the data root."""
    assert (data_root() / "corpus").is_dir()
    assert (data_root() / "index" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("RUSTQA_CORPUS", "/some/corpus", "corpus", Path("/some/corpus")),
        ("RUSTQA_INDEX", "/some/index", "index", Path("/some/index")),
        ("RUSTQA_ENCODER", "other-model", "encoder", "other-model"),
        ("RUSTQA_READER", "/some/reader", "reader", Path("/some/reader")),
        ("RUSTQA_CACHE", "/some/cache", "cache", Path("/some/cache")),
        ("RUSTQA_THRESHOLD", "0.25", "threshold", 0.25),
        ("RUSTQA_FEEDBACK", "/some/file", "feedback", Path("/some/file")),
        ("RUSTQA_STORE", "qdrant://host/name", "store", "qdrant://host/name"),
        ("RUSTQA_QDRANT_API_KEY", "s3cret", "store_key", "s3cret"),
        ("RUSTQA_ADD_TO", "/some/folder", "add_to", Path("/some/folder")),
    ],
)
def test_a_variable_sets_its_field_and_no_other(
    variable: str, value: str, field: str, expected: object
) -> None:
    """Each variable changes one field; empty, it counts as unset."""
    default = Settings.from_env({})
    changed = Settings.from_env({variable: value})
    assert getattr(changed, field) == expected
    differing = [
        name for name in Settings.__slots__ if getattr(changed, name) != getattr(default, name)
    ]
    assert differing == [field]
    assert Settings.from_env({variable: ""}) == default


def test_override_replaces_only_what_is_given() -> None:
    """Arguments that are None leave the setting; a threshold of 0 is not None."""
    default = Settings.from_env({})
    assert default.override() == default
    changed = default.override(corpus=Path("c"), index=Path("i"), encoder="e", threshold=0.0)
    assert changed == Settings(Path("c"), Path("i"), "e", default.reader, default.cache, 0.0)


@pytest.mark.parametrize("text", ["half", "", "-0.1", "1.01", "nan", "inf"])
def test_a_threshold_that_is_no_probability_is_refused(text: str) -> None:
    """The error quotes the value and says which numbers will do."""
    with pytest.raises(InputError, match="from 0 to 1") as caught:
        probability(text)
    assert repr(text) in str(caught.value)


def test_a_bad_threshold_in_the_environment_is_refused() -> None:
    """A mistyped RUSTQA_THRESHOLD does not pass as the default."""
    with pytest.raises(InputError, match="'0,5'"):
        Settings.from_env({"RUSTQA_THRESHOLD": "0,5"})


@pytest.mark.parametrize("text", ["0", "1", "0.5", "1e-3"])
def test_probabilities_are_read(text: str) -> None:
    """The ends of the range belong to it."""
    assert probability(text) == float(text)


def test_a_key_is_not_shown() -> None:
    """Whoever prints settings prints no secret."""
    assert "s3cret" not in repr(Settings.from_env({"RUSTQA_QDRANT_API_KEY": "s3cret"}))
