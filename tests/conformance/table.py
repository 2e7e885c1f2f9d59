"""The table of conformance, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

AREAS = {
    "BR": "The default bridge",
    "UD": "Networks of one's own",
    "DN": "Names",
    "IS": "Isolation and reach",
    "PM": "Published ports",
    "DR": "Other drivers",
    "LC": "Life, names and errors",
    "V6": "IPv6",
}
_HEAD = """# Conformance with Docker

Written by a run of `tests/conformance`, which does the same on netlab and on a real engine (Docker 20.10.24 of Debian 12) and
compares what can be seen from outside. Do not edit: `tests/conformance/README.md` says how to write it again.

- **same**: the real engine and netlab did the same.
- **today's**: newer engines differ from the installed one; netlab does as they do.
- **on purpose**: netlab does otherwise, for the reason given.
- **fault**: netlab does otherwise, and should not.
- **not covered**: no scenario compares it yet.
"""


def text(known: Mapping[str, Mapping[str, str]], verdicts: Mapping[str, str]) -> str:
    """Return the page."""
    said = {row: _verdict(row, known, verdicts) for row in known["rows"]}
    kinds = ("same", "today's", "on purpose", "fault", "not covered")
    parts = [_HEAD, "| | rows |", "|---|---|"]
    parts += [f"| {kind} | {sum(one.partition(':')[0] == kind for one in said.values())} |" for kind in kinds]
    parts.append(f"| all | {len(said)} |")
    for prefix, title in AREAS.items():
        parts += ["", f"## {title}", "", "| row | what | netlab |", "|---|---|---|"]
        parts += [
            f"| {row} | {what} | {said[row]} |" for row, what in known["rows"].items() if row.startswith(prefix + "-")
        ]
    return "\n".join(parts) + "\n"


def _verdict(row: str, known: Mapping[str, Mapping[str, str]], verdicts: Mapping[str, str]) -> str:
    if row not in verdicts:
        return "not covered"
    if row in known["purpose"]:
        return f"on purpose: {known['purpose'][row]}"
    if row in known["faults"]:
        return f"fault: {known['faults'][row]}"
    return {"same": "same", "today": "today's", "differs": "fault"}[verdicts[row]]
