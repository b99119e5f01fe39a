"""Where things lie and which model is used: defaults, overridden by RUSTQA_* variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rustqa.errors import InputError

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
DEFAULT_THRESHOLD = 0.74
SHIPPED_READER = Path(__file__).resolve().parent / "weights"


def data_root() -> Path:
    """The folder that holds corpus/, index/ and web/: inside the wheel, else the checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "_data"
    return installed if installed.is_dir() else here.parents[1]


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings.

    `corpus` None means the folder the index was built from; `encoder` is the default model's
    name, another model's name or a local folder; `reader` is the folder of the reader's files;
    `threshold` is the least probability of being right at which an answer is given; `feedback`
    is the file for what people say of the answers, None if they are not asked; `add_to` is the
    folder for articles that people add, None if they cannot; `store` is the address of a Qdrant
    collection to be used instead of `index`, and `store_key` the key to it.
    """

    corpus: Path | None
    index: Path
    encoder: str
    reader: Path
    cache: Path
    threshold: float
    feedback: Path | None = None
    add_to: Path | None = None
    store: str | None = None
    store_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Defaults with RUSTQA_CORPUS, _INDEX, _ENCODER, _READER, _CACHE, _THRESHOLD, _FEEDBACK,
        _ADD_TO, _STORE and _QDRANT_API_KEY applied.

        Raises InputError if the threshold is not a probability.
        """
        return cls(
            corpus=Path(env["RUSTQA_CORPUS"]) if env.get("RUSTQA_CORPUS") else None,
            index=Path(env.get("RUSTQA_INDEX") or data_root() / "index"),
            encoder=env.get("RUSTQA_ENCODER") or DEFAULT_ENCODER,
            cache=Path(env.get("RUSTQA_CACHE") or _user_cache()),
            reader=Path(env.get("RUSTQA_READER") or SHIPPED_READER),
            threshold=probability(env.get("RUSTQA_THRESHOLD") or str(DEFAULT_THRESHOLD)),
            feedback=Path(env["RUSTQA_FEEDBACK"]) if env.get("RUSTQA_FEEDBACK") else None,
            add_to=Path(env["RUSTQA_ADD_TO"]) if env.get("RUSTQA_ADD_TO") else None,
            store=env.get("RUSTQA_STORE") or None,
            store_key=env.get("RUSTQA_QDRANT_API_KEY") or None,
        )

    def override(
        self,
        corpus: Path | None = None,
        index: Path | None = None,
        encoder: str | None = None,
        threshold: float | None = None,
        feedback: Path | None = None,
        add_to: Path | None = None,
        store: str | None = None,
    ) -> Settings:
        """A copy in which the arguments that are not None replace the settings."""
        return replace(
            self,
            corpus=corpus or self.corpus,
            index=index or self.index,
            encoder=encoder or self.encoder,
            threshold=self.threshold if threshold is None else threshold,
            feedback=feedback or self.feedback,
            add_to=add_to or self.add_to,
            store=store or self.store,
        )


def probability(text: str) -> float:
    """The text as a number from 0 to 1; raises InputError if it is not one."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"the threshold {text!r} is not a probability; give a number from 0 to 1")
    return value


def _user_cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("rustqa", appauthor=False)
