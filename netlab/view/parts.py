"""A picture in parts: what moves as one, each with its own coordinates, so that one can change without the others.

The live diagram sends only the parts that changed. It is the same tree that the static picture is written from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from netlab.view import labels as lb
from netlab.view.scene import HIGHLIGHT, NETWORK_PAINTS, PLAIN
from netlab.view.svg import SVG, draw, extent, written

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

_TRANSLATION = re.compile(r"translate\((?P<x>[-\d.]+)[ ,]+(?P<y>[-\d.]+)\)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NAMESPACE = f' xmlns="{SVG}"'

# Colours that a page may replace, in dark mode: each becomes a CSS variable, with itself for whoever does not set it.
_VARIABLES = {
    lb.INK: "ink",
    lb.FAINT: "faint",
    lb.QUIET: "quiet",
    lb.ALARM: "alarm",
    lb.ALARM_PAPER: "alarm-paper",
    "#ffffff": "paper",
    "#f6f8fb": "room",
    "#94a3b8": "room-line",
    "#eef2f7": "internet",
    "#cbd5e1": "internet-line",
    "#fff8db": "nat",
    "#b08900": "nat-line",
    "#5c4a00": "nat-ink",
    "#0f5132": "listen",
    HIGHLIGHT: "highlight",
    PLAIN.paper: "plain-paper",
    **{paint.line: f"network-{number}-line" for number, paint in enumerate(NETWORK_PAINTS, 1)},
    **{paint.paper: f"network-{number}-paper" for number, paint in enumerate(NETWORK_PAINTS, 1)},
}


class Part(NamedTuple):
    """One part: where its top left is, in the picture's units, and its SVG relative to that."""

    x: float
    y: float
    fragment: str


@dataclass(frozen=True)
class Drawing:
    """A whole picture in parts, from back to front."""

    view_box: tuple[float, float, float, float]  # left, top, width, height
    parts: dict[str, Part]


def draw_parts(dot: str) -> Drawing:
    """Return graphviz source as a picture in parts. Raises MissingTool without graphviz."""
    root = draw(dot)
    left, top, wide, high = (float(one) for one in root.get("viewBox", "0 0 0 0").split())
    graph = next(one for one in root if one.tag == f"{{{SVG}}}g")
    moved = _TRANSLATION.search(graph.get("transform", ""))
    right, down = (float(moved["x"]), float(moved["y"])) if moved else (0.0, 0.0)
    parts = {}
    for element in graph:
        name = element.get("id")
        if name:
            parts[name] = _part(element, right, down)
    return Drawing((left, top, wide, high), parts)


def _part(element: ET.Element, right: float, down: float) -> Part:
    x, y = _corner(element)
    for one in element.iter():
        _shift(one, x, y)
        _name(one)
        _paint(one)
    return Part(round(x + right, 1), round(y + down, 1), written(element).replace(_NAMESPACE, "", 1))


def _corner(element: ET.Element) -> tuple[float, float]:
    """Return the top left of all shapes of a part, or of its text if it has no shape."""
    boxes = [extent(one) for one in element.iter() if any(key in one.attrib for key in ("width", "d", "points"))]
    if boxes:
        return min(box[0] for box in boxes), min(box[1] for box in boxes)
    texts = [one for one in element.iter() if one.tag == f"{{{SVG}}}text"]
    places = [(float(one.get("x", 0)), float(one.get("y", 0))) for one in texts] or [(0.0, 0.0)]
    return min(place[0] for place in places), min(place[1] for place in places)


def _shift(element: ET.Element, x: float, y: float) -> None:
    if "x" in element.attrib and "y" in element.attrib:
        element.set("x", _short(float(element.get("x", 0)) - x))
        element.set("y", _short(float(element.get("y", 0)) - y))
    for key in ("d", "points"):
        if key in element.attrib:
            element.set(key, _shifted(element.attrib[key], x, y))


def _shifted(path: str, x: float, y: float) -> str:
    """Return a path in which each pair of numbers is one point; graphviz writes no other."""
    by = [x, y]
    count = -1

    def shift(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return _short(float(found[0]) - by[count % 2])

    return _NUMBER.sub(shift, path)


def _short(number: float) -> str:
    return f"{round(number, 1) + 0.0:g}"


def _name(element: ET.Element) -> None:
    """Let the page find an element without giving it an id: a second view on the page would have the same."""
    name = element.attrib.pop("id", None)
    if name is not None:
        element.set("data-id", name)


def _paint(element: ET.Element) -> None:
    for key in ("fill", "stroke"):
        color = element.get(key)
        if color in _VARIABLES:
            element.set(key, f"var(--netlab-{_VARIABLES[color]}, {color})")
