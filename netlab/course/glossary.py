"""The words of the course: each with one sentence, and a cell that shows it in a running lab."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from netlab.course.chapters import Texts

CHAPTER = "10-glossary"


@dataclass(frozen=True, slots=True)
class Term:
    """One word; `reading` is how a Japanese reader pronounces it, where that cannot be guessed."""

    key: str
    names: Texts
    meanings: Texts
    shows: str
    reading: str = ""

    @property
    def link(self) -> str:
        """Where chapter 10 explains it, relative to the other chapters: the cell with this id, in either language.

        JupyterLab finds a cell by its id also in a notebook that it has just opened; a heading only once it is drawn.
        """
        return f"{CHAPTER}.ipynb#cell-id={self.key}"


@cache
def glossary() -> Mapping[str, Term]:
    """Return every term by its key, in the order of the file."""
    text = (resources.files("netlab.course") / "glossary.toml").read_text("utf-8")
    return {
        key: Term(
            key, {"en": one["en"], "ja": one["ja"]}, one["means"], one["shows"].strip("\n"), one.get("reading", "")
        )
        for key, one in tomllib.loads(text).items()
    }
