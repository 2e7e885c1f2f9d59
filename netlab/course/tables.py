"""Predict many things at once: a table of guesses, yes or no, which real probes fill in beside them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from netlab.course.words import NEUTRAL, RIGHT, WRONG, framed, quiet
from netlab.errors import RequestError
from netlab.language import say
from netlab.live.output import Bundle, is_live

Row = Sequence[bool | None]

_MARKS = {True: "✓", False: "✗", None: "·"}
_CELL = "padding:.2em .9em;text-align:center"


class GuessTable:
    """A table to fill in before the next cell is run: in a notebook click its cells; elsewhere, `choose("✓✗", "✗✗")`."""

    def __init__(self, rows: Sequence[str], columns: Sequence[str]) -> None:
        self.rows, self.columns = tuple(rows), tuple(columns)
        self.guesses: list[list[bool | None]] = [[None] * len(columns) for _ in rows]
        self._widgets: list[Any] = []

    def choose(self, *rows: str) -> GuessTable:
        """Guess all at once: a text for each row with ✓ or ✗ for each column; raises RequestError for another shape."""
        known = {mark: value for value, mark in _MARKS.items()}
        given = [[known.get(mark) for mark in row if not mark.isspace()] for row in rows]
        self._check_shape(given)
        self._commit(given)
        return self

    def grade(self, results: Sequence[Sequence[bool]]) -> GradedTable:
        """Fill in what really happened, a list for each row; raises RequestError for another shape."""
        self._check_shape(results)
        for widget in self._widgets:
            widget.results = [list(row) for row in results]
        return GradedTable(self, results)

    def _check_shape(self, given: Sequence[Row]) -> None:
        if [len(row) for row in given] != [len(self.columns)] * len(self.rows):
            raise RequestError(
                say(
                    en=f"This table has {len(self.rows)} rows with {len(self.columns)} cells each.",
                    ja=f"この表は {len(self.rows)} 行、各行 {len(self.columns)} マスです。",
                )
            )

    def _commit(self, guesses: Sequence[Row]) -> None:
        self.guesses = [list(row) for row in guesses]
        for widget in self._widgets:
            widget.guesses = self.guesses
            widget.redraw(self.still())

    def __repr__(self) -> str:
        return f"◇ {_title()}\n{_text(self, self.guesses)}"

    def still(self) -> Bundle:
        """Return what a saved notebook shows: the table, as far as it is filled in."""
        cells = [[f'<td style="{_CELL}">{_MARKS[one]}</td>' for one in row] for row in self.guesses]
        return {"text/html": framed(f"<b>◇ {_title()}</b>{_html(self, cells)}"), "text/plain": repr(self)}

    def _widget(self) -> Any:
        from netlab.course.grid import Grid  # noqa: PLC0415 - anywidget is slow to import, and only a notebook needs it

        widget = Grid(self.rows, self.columns, self.guesses, self._commit)
        self._widgets.append(widget)
        return widget

    def _ipython_display_(self) -> None:
        """Show the static form, and in a notebook server's page the widget instead of it."""
        if not is_live():
            raise NotImplementedError
        self._widget().show(self.still())

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return self.still()


class GradedTable:
    """What really happened, each cell beside what was guessed."""

    def __init__(self, asked: GuessTable, results: Sequence[Sequence[bool]]) -> None:
        self.asked = asked
        self.results = [list(row) for row in results]
        pairs = [pair for rows in zip(asked.guesses, self.results, strict=True) for pair in zip(*rows, strict=True)]
        self.guessed = sum(guess is not None for guess, _ in pairs)
        self.right = sum(guess == result for guess, result in pairs)

    def _verdict(self) -> str:
        if not self.guessed:
            return say(
                en="You made no guess. What happened:", ja="予想は記入されていません。実際の結果は次のとおりです。"
            )
        cells = len(self.asked.rows) * len(self.asked.columns)
        return say(
            en=f"{self.right} of {cells} as you said.", ja=f"{cells} マス中 {self.right} マスが予想どおりでした。"
        )

    def __repr__(self) -> str:
        return f"{self._verdict()}\n{_text(self.asked, self.results)}"

    def _repr_html_(self) -> str:
        cells = [
            [_graded_cell(guess, result) for guess, result in zip(guesses, results, strict=True)]
            for guesses, results in zip(self.asked.guesses, self.results, strict=True)
        ]
        colour = NEUTRAL if not self.guessed else RIGHT if self.right == sum(map(len, cells)) else WRONG
        return framed(f"<b>{self._verdict()}</b>{_html(self.asked, cells)}", colour)


def guess_table(rows: Sequence[str], columns: Sequence[str]) -> GuessTable:
    """Make a table of yes-or-no guesses with these headings; `.grade(results)` fills in what the kernel did."""
    return GuessTable(rows, columns)


def _title() -> str:
    return say(en="Predict, then run", ja="予想してから実行")


def _graded_cell(guess: bool | None, result: bool) -> str:
    if guess is None:
        return f'<td style="{_CELL}"><b>{_MARKS[result]}</b></td>'
    colour = RIGHT if guess == result else WRONG
    guessed = quiet(say(en=f"you: {_MARKS[guess]}", ja=f"予想 {_MARKS[guess]}"))
    return f'<td style="{_CELL};border:2px solid {colour}"><b>{_MARKS[result]}</b> {guessed}</td>'


def _html(table: GuessTable, cells: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th style="{_CELL}"><code>{escape(one)}</code></th>' for one in table.columns)
    lines = (
        f'<tr><th style="text-align:left"><code>{escape(name)}</code></th>{"".join(row)}</tr>'
        for name, row in zip(table.rows, cells, strict=True)
    )
    return f"<table><tr><th></th>{heads}</tr>{''.join(lines)}</table>"


def _text(table: GuessTable, marks: Sequence[Row]) -> str:
    first = max(map(len, table.rows))
    lines = ["  ".join([" " * first, *table.columns])]
    for name, row in zip(table.rows, marks, strict=True):
        cells = (_MARKS[one].center(len(head)) for one, head in zip(row, table.columns, strict=True))
        lines.append("  ".join([name.ljust(first), *cells]))
    return "\n".join(line.rstrip() for line in lines)
