"""How a journey looks: a table as text, and step by step as a page that needs no program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view.words import width

if TYPE_CHECKING:
    from netlab.journey.journey import Journey


def text(journey: Journey) -> str:
    rows = [(str(s.number), "→" if s.way == "there" else "←", s.place, s.text, s.evidence) for s in journey.steps]
    wide = [max(width(row[column]) for row in rows) for column in range(3)] if rows else []
    lines = [f"{journey.place} → {journey.target}"]
    for row in rows:
        cells = [cell + " " * round(wide[at] - width(cell)) for at, cell in enumerate(row[:3])]
        lines.append("  ".join([*cells, f"{row[3]}  [{row[4]}]"]))
    return "\n".join(lines)


def page(journey: Journey) -> str:
    return f"<pre>{text(journey)}</pre>"
