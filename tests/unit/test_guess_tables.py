"""A table of guesses: filled in by the reader, then by what really happened, cell beside cell."""

from __future__ import annotations

import re
from typing import Any

import pytest

from netlab import language
from netlab.course import guess_table
from netlab.course.tables import GuessTable
from netlab.errors import RequestError

HAPPENED = [[True, True], [False, True]]


@pytest.fixture
def table() -> Any:
    language("en")
    yield guess_table(["8080:80", "127.0.0.1:8080:80"], ["client", "host"])
    language(None)


def marked(html: str) -> list[str]:
    """Return the colours of the cells' borders, in order; the frame's own comes first."""
    return re.findall(r"(?:border-left:3px|border:2px) solid (#\w+)", html)


def test_each_guess_stands_beside_what_happened_and_the_right_ones_are_counted(table: GuessTable) -> None:
    graded = table.choose("✓✓", "✓✓").grade(HAPPENED)
    assert repr(graded).startswith("3 of 4 as you said.")
    html = graded._repr_html_()
    frame, *cells = marked(html)
    assert len(cells) == 4
    assert cells.count(frame) == 1  # the frame is of the colour of what was wrong
    assert html.count("you: ✓") == 4


def test_a_table_that_is_all_right_is_framed_as_right(table: GuessTable) -> None:
    graded = table.choose("✓✓", "✗✓").grade(HAPPENED)
    assert repr(graded).startswith("4 of 4")
    assert len(set(marked(graded._repr_html_()))) == 1


def test_without_guesses_it_shows_what_happened(table: GuessTable) -> None:
    graded = table.grade(HAPPENED)
    assert "no guess" in repr(graded)
    assert "127.0.0.1:8080:80    ✗      ✓" in repr(graded)
    assert "you:" not in graded._repr_html_()


def test_a_cell_may_stay_open(table: GuessTable) -> None:
    graded = table.choose("✓·", "··").grade(HAPPENED)
    assert repr(graded).startswith("1 of 4")
    assert graded._repr_html_().count("you:") == 1


@pytest.mark.parametrize("rows", [("✓✓",), ("✓✓", "✓"), ("✓✓", "✓✓", "✓✓")])
def test_a_table_of_another_shape_is_refused_and_changes_nothing(table: GuessTable, rows: tuple[str, ...]) -> None:
    with pytest.raises(RequestError, match="2 rows with 2 cells each"):
        table.choose(*rows)
    with pytest.raises(RequestError, match="2 rows with 2 cells each"):
        table.grade([[True]])
    assert table.guesses == [[None, None], [None, None]]


def test_it_speaks_japanese(table: GuessTable) -> None:
    language("ja")
    assert "予想してから実行" in repr(table)
    assert "4 マス中 3 マスが予想どおり" in repr(table.choose("✓✓", "✓✓").grade(HAPPENED))


def test_the_page_fills_it_in_and_is_told_what_happened(table: GuessTable) -> None:
    """What the widget's page sets is what is graded, and a saved notebook shows it."""
    widget = table._widget()
    widget.guesses = [[True, None], [None, False]]
    assert table.guesses == [[True, None], [None, False]]
    assert "✓" in table.still()["text/plain"]
    table.grade(HAPPENED)
    assert widget.results == HAPPENED
