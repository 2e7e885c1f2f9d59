"""Building blocks of graphviz labels: escaping, cells and tables.

Everything that a student can type goes through `escape` (inside a label) or `quoted` (elsewhere).
"""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netlab.view.words import width

if TYPE_CHECKING:
    from collections.abc import Iterable

FONT = "Inter, Noto Sans CJK JP, Noto Sans, sans-serif"
NAME_SIZE = 12
SMALL_SIZE = 10

INK = "#1e293b"
FAINT = "#475569"
QUIET = "#64748b"
ALARM = "#b91c1c"
ALARM_PAPER = "#fef2f2"

# Even inside an HTML-like label graphviz replaces \N by the node's name, and nothing escapes it: this invisible character,
# which `render` takes out again, comes between.
JOINER = "\N{WORD JOINER}"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    # A control character or half a surrogate pair makes graphviz or the browser reject the whole picture.
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in ("Cc", "Cs") else one for one in text)


def escape(text: str) -> str:
    """Return the text ready to stand inside an HTML-like label."""
    return html.escape(_printable(text)).replace("\\", "\\" + JOINER)


def quoted(text: str) -> str:
    """Return the text as a quoted dot string."""
    return '"' + _printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def attributes(**values: object) -> str:
    """Return attributes of an HTML-like element, without those that are None."""
    return "".join(f' {key.upper()}="{escape(str(value))}"' for key, value in values.items() if value is not None)


def settings(**values: object) -> str:
    """Return a dot attribute list; a value that starts with `<` is an HTML-like label and stays as it is."""
    given = {key: str(value) for key, value in values.items() if value is not None}
    return ", ".join(f"{key}={v if v.startswith('<') else quoted(v)}" for key, v in given.items())


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one style; a line is one or several of them."""

    text: str
    size: float = NAME_SIZE
    color: str = INK
    bold: bool = False

    def __str__(self) -> str:
        inner = f"<B>{escape(self.text)}</B>" if self.bold else escape(self.text)
        return f'<FONT POINT-SIZE="{self.size:g}" COLOR="{self.color}">{inner}</FONT>'

    @property
    def points(self) -> float:
        """About how wide it will be; only graphviz knows, and it is asked later."""
        return width(self.text) * self.size * 0.57


Line = tuple[Run, ...]


def strong(text: str, color: str = INK) -> Run:
    return Run(text, bold=True, color=color)


def small(text: str, color: str = FAINT) -> Run:
    return Run(text, size=SMALL_SIZE, color=color)


def line(*runs: Run) -> Line:
    """Return the runs that say something, with a space between two."""
    said = [one for one in runs if one.text]
    return tuple(replace(one, text=one.text + " ") if one is not said[-1] else one for one in said)


def stack(lines: Iterable[Line]) -> str:
    """Return the lines one above the other, without the empty ones; graphviz refuses a label of nothing."""
    return "<BR/>".join("".join(map(str, one)) for one in lines if one) or " "


def points(lines: Iterable[Line]) -> float:
    """Return about how wide the widest of the lines will be."""
    return max((sum(run.points for run in one) for one in lines), default=0.0)


def cell(content: str, **values: object) -> str:
    """Return one cell of a table."""
    return f"<TD{attributes(**values)}>{content}</TD>"


def table(rows: Iterable[str], **values: object) -> str:
    """Return a label that is one table; each row is the text of its cells."""
    body = "".join(f"<TR>{row}</TR>" for row in rows if row)
    return f"<<TABLE{attributes(**values)}>{body}</TABLE>>"
