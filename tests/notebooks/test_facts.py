"""Every fact of the curriculum is proven: by a cell that runs, and whose stored output shows it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from test_chapters import LANGUAGES, ROOT, STEMS, chapter, texts

FACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "docs" / "facts.toml").read_text("utf-8"))["fact"]
PROOFS = [
    pytest.param(cell, pattern, fact["chapter"], id=f"{fact['chapter']}-{number}-{cell}")
    for number, fact in enumerate(FACTS)
    for cell, pattern in fact["proof"].items()
]


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapter_has_its_facts(stem: str) -> None:
    """A chapter without a fact in docs/facts.toml teaches nothing, or nobody has written down what."""
    assert any(fact["chapter"] == stem[:2] for fact in FACTS)


def test_no_fact_is_told_twice_or_without_proof() -> None:
    """Each says something of its own, and has a cell."""
    said = [fact["says"] for fact in FACTS]
    assert len(set(said)) == len(said)
    assert all(fact["proof"] for fact in FACTS)


@pytest.mark.parametrize(("cell", "pattern", "number"), PROOFS)
def test_the_cell_shows_it(cell: str, pattern: str, number: str) -> None:
    """The cell has run in both languages, and what it put out in English is what the fact says."""
    elsewhere, _, identifier = cell.rpartition("/")
    stem = next(one for one in STEMS if one.startswith(elsewhere or number))
    shown = {}
    for language in LANGUAGES:
        (proof,) = [one for one in chapter(language, stem).cells if one.id == identifier] or [None]
        assert proof, f"{language}/{stem} has no cell {identifier}"
        assert proof.cell_type == "code"
        assert proof.execution_count, "it has run"
        shown[language] = "".join(text for output in proof.outputs for text in texts(output))
    assert pattern, "there is something to look for"
    assert re.search(pattern, shown["en"], re.DOTALL | re.MULTILINE), shown["en"]
    assert bool(shown["en"]) == bool(shown["ja"])
