"""Tables: what the README and docs/speed.md show is what was measured and saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.tables import PAGES, TABLES, filled, saved_results


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_saved_results(page: Path) -> None:
    """A page whose tables were written from other results, or by hand, is found out."""
    text = page.read_text(encoding="utf-8")
    assert any(f"<!-- begin {name} -->" in text for name in TABLES)
    assert filled(text, saved_results()) == text


def test_every_table_stands_somewhere() -> None:
    """None is written for no page."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    for name in TABLES:
        assert any(f"<!-- begin {name} -->" in text for text in texts), name


def test_only_the_tables_are_rewritten() -> None:
    """The text around them stays as it is, and so does a page without any."""
    page = "Before.\n\n<!-- begin floor -->\nstale\n<!-- end floor -->\n\nAfter.\n"
    written = filled(page, saved_results())
    assert written.startswith("Before.\n\n<!-- begin floor -->\n| ")
    assert written.endswith("|\n<!-- end floor -->\n\nAfter.\n")
    assert "stale" not in written
    assert filled("No table.\n", saved_results()) == "No table.\n"
