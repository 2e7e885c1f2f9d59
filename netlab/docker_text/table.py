"""Columns: three spaces between them, ten characters at least, as docker's tabwriter sets them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_PADDING, _NARROWEST = 3, 10


def aligned(lines: Iterable[str]) -> str:
    """Return lines with their tabs replaced by spaces, so that columns stand below each other; the last is not padded."""
    rows = [line.split("\t") for line in lines]
    widths: list[int] = []
    for row in rows:
        for number, cell in enumerate(row[:-1]):
            widths += [_NARROWEST] * (number + 1 - len(widths))
            widths[number] = max(widths[number], width(cell) + _PADDING)
    return "".join(_line(row, widths) + "\n" for row in rows)


def _line(row: list[str], widths: list[int]) -> str:
    padded = (cell + " " * (widths[number] - width(cell)) for number, cell in enumerate(row[:-1]))
    return "".join(padded) + row[-1]


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese or Japanese character takes two."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def ellipsis(text: str, most: int) -> str:
    """Return a text in at most so many columns, with … in place of what does not fit."""
    if width(text) <= most:
        return text
    while width(text) > most - 1:
        text = text[:-1]
    return text + "…"
