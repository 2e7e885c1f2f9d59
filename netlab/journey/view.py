"""How a journey looks: a table as text, and step by step as a page that needs no program to be read."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netlab.glossary import linked
from netlab.journey.steps import JAPANESE_FIELDS
from netlab.language import current, say
from netlab.view.words import width

if TYPE_CHECKING:
    from netlab.journey.journey import Journey
    from netlab.journey.steps import Change, Step

_ARROWS = {"there": "→", "back": "←"}
_HEADINGS = {
    ("lookup", "there"): ("The name: question", "名前解決: 問い合わせ"),
    ("lookup", "back"): ("The name: answer", "名前解決: 応答"),
    ("request", "there"): ("The request", "要求"),
    ("request", "back"): ("The answer", "応答"),
}
_EVIDENCE = {
    "captured": ("captured", "キャプチャで確認"),
    "traced": ("traced by netfilter", "netfilter のトレースで確認"),
    "noted": ("noted by conntrack", "conntrack の記録で確認"),
    "asked": ("asked of the kernel", "カーネルに照会"),
    "answered": ("told to the probe", "プローブが得た情報"),
    "inferred": ("inferred", "推定"),
}
_MONO = "font-family:var(--jp-code-font-family,monospace)"
_MARK = "background:var(--jp-warn-color3,#ffecb3);color:inherit;padding:0 3px;border-radius:3px"
_QUIET = "color:var(--jp-content-font-color2,#666)"
_LONGEST_VALUE = 160  # letters of a field: a page can be long


def evidence(step: Step) -> str:
    """Say where it is known from that a step happened."""
    return _either(_EVIDENCE[step.evidence])


# ── text ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def text(journey: Journey) -> str:
    """Return a journey as a table, with the reason below where there is one."""
    rows = [(str(step.number), _ARROWS[step.way], step.place, step.text, evidence(step)) for step in journey.steps]
    wide = [max(width(row[column]) for row in rows) for column in range(3)] if rows else []
    lines = [headline(journey)]
    for row in rows:
        cells = [cell + " " * round(wide[at] - width(cell)) for at, cell in enumerate(row[:3])]
        lines.append("  ".join([*cells, f"{row[3]}  [{row[4]}]"]))
    return "\n".join([*lines, *_afterwards(journey)])


def headline(journey: Journey) -> str:
    """Say in a line what became of it."""
    way = f"{journey.place} → {journey.target}"
    if journey.reason is not None:
        return say(en=f"✕ {way}: no answer", ja=f"✕ {way}: 応答なし")
    took = f"{journey.milliseconds:.1f} ms" if journey.milliseconds is not None else ""
    return "✓ " + way + ": " + ", ".join(part for part in (journey.outcome.status or "ok", took) if part)


def _sentence(step: Step) -> str:
    inferred = step.evidence == "inferred"
    return step.text + (say(en=" (inferred)", ja=" (推定)") if inferred else "")


def _afterwards(journey: Journey) -> Iterator[str]:
    if journey.reason is not None:
        where = f"{journey.reason.place}$ {journey.reason.command}"
        yield say(en=f"Next: {journey.reason.advice}", ja=f"次に: {journey.reason.advice}")
        yield say(en=f"See it: {where}", ja=f"確かめるには: {where}")
    if journey.lost:
        yield say(
            en=f"{journey.lost} packets or reports came too fast to be read; steps may be missing.",
            ja=f"{journey.lost} 個のパケットや報告を取りこぼしました。抜けている手順があるかもしれません。",
        )


# ── page ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(journey: Journey) -> str:
    """Return a journey as HTML: each step opens, and shows what changed in the headers."""
    colour = "var(--jp-error-color1,#c62828)" if journey.reason else "var(--jp-success-color1,#2e7d32)"
    parts = [
        f'<div class="netlab-journey" lang="{current()}" style="color:var(--jp-content-font-color1,inherit)">',
        f'<p style="font-weight:600;color:{colour}">{html.escape(headline(journey))}</p>',
    ]
    group: tuple[str, str] | None = None
    told: set[str] = set()
    for step in journey.steps:
        if (step.leg, step.way) != group:
            group = (step.leg, step.way)
            parts.append(f'<p style="font-weight:600;margin:8px 0 2px">{html.escape(_either(_HEADINGS[group]))}</p>')
        parts.append(_step(step, told))
    parts += [f"<p>{linked(line, told)}</p>" for line in _afterwards(journey)]
    return "".join([*parts, "</div>"])


def _step(step: Step, told: set[str]) -> str:
    died = step.kind == "end"
    line = (
        f'<span style="{_QUIET}">{step.number}</span> <b>{html.escape(step.place)}</b> {_ARROWS[step.way]} '
        f"{linked(_sentence(step), told)} {''.join(_mark(one) for one in step.changes)}"
    )
    style = "margin:1px 0;padding:2px 8px;border-left:3px solid "
    style += "var(--jp-error-color1,#c62828)" if died else "var(--jp-border-color2,#bbb)"
    return (
        f'<details class="netlab-step" style="{style}"><summary style="cursor:pointer">{line}</summary>'
        f'<div style="margin:4px 0 6px 18px">{"".join(_inside(step))}</div></details>'
    )


def _mark(change: Change) -> str:
    """Return a header field that changed, highlighted."""
    name = _either((change.field, JAPANESE_FIELDS.get(change.field, change.field)))
    was = f"<s>{html.escape(change.before)}</s> " if change.before else ""
    return f' <mark style="{_MARK}">{html.escape(name)} {was}{html.escape(change.after)}</mark>'


def _inside(step: Step) -> Iterator[str]:
    found = step.headers
    if found is not None and found.source:
        ports = (f":{found.source_port}", f":{found.destination_port}") if found.source_port else ("", "")
        line = f"{found.protocol} {found.source}{ports[0]} → {found.destination}{ports[1]}  TTL {found.ttl}"
        line += f"  [{found.flags}]" if found.flags else ""
        yield f'<div style="{_MONO}">{html.escape(line)}</div>'
        if found.source_mac:
            yield f'<div style="{_MONO}">MAC {found.source_mac} → {found.destination_mac}</div>'
    for met in step.rules:
        words = met.text or "policy"
        comment = f"  # {met.comment}" if met.comment else ""
        number = f" handle {met.handle}" if met.handle else ""
        line = f"{met.table} {met.chain}{number}: {words}{comment} → {met.verdict}"
        yield f'<div style="{_MONO}">{html.escape(line)}</div>'
        if met.iptables:
            yield f'<div style="{_MONO};{_QUIET}">{html.escape(met.iptables)}</div>'
    yield f'<div style="{_QUIET}">{html.escape(evidence(step))}</div>'
    if step.command:
        shown = html.escape(f"{step.place}$ {step.command}")
        yield f'<code style="{_MONO};white-space:pre-wrap">{shown}</code>'
    if step.packet is not None:
        yield _layers(step.layers())


def _layers(opened: Any) -> str:
    """Return a packet as scapy dissects it, a line for each layer, folded."""
    from netlab.capture.dissection import layers  # noqa: PLC0415 - scapy takes a fifth of a second to import

    lines = []
    for name, fields in layers(opened):
        values = (f"{field}={value[:_LONGEST_VALUE]}" for field, value in fields if value != "None")
        lines.append(f'<div style="{_MONO}"><b>{html.escape(name)}</b> {html.escape("  ".join(values))}</div>')
    title = say(en="The packet, layer by layer (scapy)", ja="パケットの中身をレイヤーごとに見る (scapy)")
    return f'<details><summary style="cursor:pointer;{_QUIET}">{title}</summary>{"".join(lines)}</details>'


def _either(words: tuple[str, str]) -> str:
    return say(en=words[0], ja=words[1])
