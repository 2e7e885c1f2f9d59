"""The difference between two drawings, as messages to the page: only what it does not have yet."""

from __future__ import annotations

from typing import Any

from netlab.live.history import Elements
from netlab.view.parts import Drawing, Part


def shared(before: Drawing, after: Drawing) -> Drawing:
    """Return the later drawing with the earlier one's fragments where they are equal, so that both together stay small."""
    parts = {}
    for name, part in after.parts.items():
        old = before.parts.get(name)
        same = old is not None and old.fragment == part.fragment
        parts[name] = Part(part.x, part.y, old.fragment) if old and same else part
    return Drawing(after.view_box, parts)


def whole(drawing: Drawing, elements: Elements) -> dict[str, Any]:
    """Return all of a picture."""
    return {
        "viewBox": list(drawing.view_box),
        "order": list(drawing.parts),
        "parts": {name: list(part) for name, part in drawing.parts.items()},
        "elements": elements,
    }


def change(before: Drawing, after: Drawing, elements_before: Elements, elements_after: Elements) -> dict[str, Any]:
    """Return what makes the later picture of the earlier one; empty when they are alike."""
    drawn = {
        "viewBox": list(after.view_box),
        "parts": {n: list(one) for n, one in after.parts.items() if _fragment(before, n) != one.fragment},
        "moved": {
            name: [part.x, part.y]
            for name, part in after.parts.items()
            if _fragment(before, name) == part.fragment and before.parts[name] != part
        },
        "gone": [name for name in before.parts if name not in after.parts],
    }
    if list(before.parts) != list(after.parts):
        drawn["order"] = list(after.parts)
    named: dict[str, Any] = {
        "elements": {name: one for name, one in elements_after.items() if elements_before.get(name) != one},
        "elementsGone": [name for name in elements_before if name not in elements_after],
    }
    is_same = before.view_box == after.view_box and not any(value for key, value in drawn.items() if key != "viewBox")
    if is_same and not any(named.values()):
        return {}
    return drawn | named


def _fragment(drawing: Drawing, name: str) -> str | None:
    part = drawing.parts.get(name)
    return part.fragment if part is not None else None
