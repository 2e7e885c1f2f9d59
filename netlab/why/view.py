"""How an explanation looks: a list as text, and as a page whose lines open."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from netlab.glossary import linked
from netlab.language import current, say
from netlab.view.words import width

if TYPE_CHECKING:
    from netlab.why.explanation import Explanation
    from netlab.why.trouble import Condition

_MARKS = {True: "✓", False: "✕", None: "?"}
_COLOURS = {
    True: "var(--jp-success-color1,#2e7d32)",
    False: "var(--jp-error-color1,#c62828)",
    None: "var(--jp-warn-color1,#b26a00)",
}
_MONO = "font-family:var(--jp-code-font-family,monospace)"
_QUIET = "color:var(--jp-content-font-color2,#666)"
_HEADINGS = {
    "lookup": ("The name", "名前解決"),
    "request": ("The request", "要求"),
    "answer": ("The answer", "応答"),
}


def text(explanation: Explanation) -> str:
    """Return an explanation as a list, with what to do below where something is wrong."""
    wide = max((width(one.place) for one in explanation), default=0)
    lines = [headline(explanation)]
    for number, one in enumerate(explanation, start=1):
        place = one.place + " " * round(wide - width(one.place))
        evidence = f"  [{one.evidence}]" if one.evidence else ""
        lines.append(f"{number:>3}  {_MARKS[one.fulfilled]}  {place}  {one.text}{evidence}")
    return "\n".join([*lines, *_afterwards(explanation)])


def headline(explanation: Explanation) -> str:
    """Say in a line what comes of it."""
    way = f"{explanation.place} → {explanation.target}"
    words = {
        True: say(en="can be reached", ja="到達できます"),
        False: say(en="cannot be reached", ja="到達できません"),
        None: say(en="not certain", ja="確実には分かりません"),
    }
    return f"{_MARKS[explanation.ok]} {way}: {words[explanation.ok]}"


def _afterwards(explanation: Explanation) -> Iterator[str]:
    failed, unsure = explanation.failed, explanation.unsure
    if failed is not None and failed.finding is not None:
        yield say(en=f"Next: {failed.finding.advice}", ja=f"次に: {failed.finding.advice}")
        where = f"{failed.place}$ {failed.command}"
        yield say(en=f"See it: {where}", ja=f"確かめるには: {where}")
        for one in failed.repair:
            yield say(en=f"Repair: {one}", ja=f"修復: {one}")
    if unsure is not None:
        where = f"{unsure.place}$ {unsure.command}"
        yield say(
            en=f"What was not understood makes the answer uncertain. See it: {where}",
            ja=f"解釈できないものがあるため、結論は確実ではありません。確かめるには: {where}",
        )


def page(explanation: Explanation) -> str:
    """Return an explanation as HTML: each condition opens, and shows the evidence and the command."""
    style = f"font-weight:600;color:{_COLOURS[explanation.ok]}"
    parts = [
        f'<div class="netlab-why" lang="{current()}" style="color:var(--jp-content-font-color1,inherit)">',
        f'<p style="{style}">{html.escape(headline(explanation))}</p>',
    ]
    leg = ""
    told: set[str] = set()
    for number, one in enumerate(explanation, start=1):
        if one.leg != leg:
            leg = one.leg
            heading = say(en=_HEADINGS[leg][0], ja=_HEADINGS[leg][1])
            parts.append(f'<p style="font-weight:600;margin:8px 0 2px">{html.escape(heading)}</p>')
        parts.append(_condition(number, one, told))
    parts += [f"<p>{linked(line, told)}</p>" for line in _afterwards(explanation)]
    return "".join([*parts, "</div>"])


def _condition(number: int, one: Condition, told: set[str]) -> str:
    colour = _COLOURS[one.fulfilled]
    line = (
        f'<span style="{_QUIET}">{number}</span> <b style="color:{colour}">{_MARKS[one.fulfilled]}</b> '
        f"<b>{html.escape(one.place)}</b> {linked(one.text, told)}"
    )
    inside = [f'<div style="{_MONO}">{html.escape(one.evidence)}</div>'] if one.evidence else []
    command = html.escape(f"{one.place}$ {one.command}")
    inside.append(f'<code style="{_MONO};white-space:pre-wrap">{command}</code>')
    shown = " open" if one.fulfilled is not True else ""
    return (
        f'<details class="netlab-condition"{shown} style="margin:1px 0;padding:2px 8px;border-left:3px solid {colour}">'
        f'<summary style="cursor:pointer">{line}</summary>'
        f'<div style="margin:4px 0 6px 18px">{"".join(inside)}</div></details>'
    )
