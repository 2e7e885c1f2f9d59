"""The words of the course: each with one sentence, and a cell that shows it in a running lab."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from netlab.language import LANGUAGES, Language, current

CHAPTER = "10-glossary"


@dataclass(frozen=True, slots=True)
class Term:
    """One word; `reading` is how a Japanese reader pronounces it, where that cannot be guessed."""

    key: str
    names: Mapping[Language, str]
    meanings: Mapping[Language, str]
    words: Mapping[Language, tuple[str, ...]]  # by which a sentence mentions it
    shows: str
    reading: str = ""
    everyday: bool = False  # whether the same words also mean something else

    @property
    def link(self) -> str:
        """Where chapter 10 explains it, relative to the other chapters: the cell with this id, in either language.

        JupyterLab finds a cell by its id also in a notebook that it has just opened; a heading only once it is drawn.
        """
        return f"{CHAPTER}.ipynb#cell-id={self.key}"


@cache
def glossary() -> Mapping[str, Term]:
    """Return every term by its key, in the order of the file."""
    text = (resources.files("netlab") / "glossary.toml").read_text("utf-8")
    found = {}
    for key, one in tomllib.loads(text).items():
        names: dict[Language, str] = {"en": one["en"], "ja": one["ja"]}
        words = {
            language: (re.sub(r" *\(.*\)", "", names[language]), *one.get("also", {}).get(language, ()))
            for language in LANGUAGES
        }
        found[key] = Term(key, names, one["means"], words, one["shows"].strip("\n"), **_rest(one))
    return found


def _rest(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("reading", "everyday") if name in one}


def linked(text: str, told: set[str]) -> str:
    """Return a text as HTML in which the first mention of each term leads to the glossary.

    `told` holds the keys that have a link already, and gets the new ones. Without chapter 10 beside the notebook there is
    nothing to lead to, and the text stays plain.
    """
    if not Path(f"{CHAPTER}.ipynb").is_file():
        return escape(text)
    made, end = [], 0
    pattern, keys = mentions(current())
    for match in pattern.finditer(text):
        key = keys[match[0].lower()]
        if key not in told:
            told.add(key)
            link = f'<a href="{glossary()[key].link}">{escape(match[0])}</a>'
            made += [escape(text[end : match.start()]), link]
            end = match.end()
    return "".join([*made, escape(text[end:])])


@cache
def mentions(language: Language) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Return what finds the mentions of all terms, the longest first, and the key of each in small letters."""
    keys = {word.lower(): term.key for term in glossary().values() for word in term.words[language]}
    words = sorted((word for term in glossary().values() for word in term.words[language]), key=len, reverse=True)
    # An abbreviation is written in capitals; in a name such as nat-prerouting it is no mention.
    either = "|".join(re.escape(word) if word.isupper() else f"(?i:{re.escape(word)})" for word in words)
    return re.compile(rf"(?<![A-Za-z0-9_.-])(?:{either})(?![A-Za-z0-9_-])"), keys
