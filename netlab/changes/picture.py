"""The picture of a lab with what became different marked in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netlab.view.boxes import interface_id, place_id
from netlab.view.dot import to_dot
from netlab.view.svg import SVG, draw, written

if TYPE_CHECKING:
    from netlab.changes.difference import Difference, Kind
    from netlab.model import Snapshot

_HEIGHT = 560  # so that the sentences and the picture below them are on one screen
_SHAPES = {f"{{{SVG}}}{name}" for name in ("rect", "polygon", "path")}


def marks(differences: Sequence[Difference], before: Snapshot) -> dict[str, Kind]:
    """Return how to mark each element: one that was there before is changed, whatever came or went in it."""
    there = {place_id(place) for place in before.places}
    there |= {interface_id(place, one) for place in before.places for one in place.interfaces}
    found: dict[str, Kind] = {}
    for one in differences:
        if one.element.startswith(("place/", "interface/")):
            found[one.element] = "changed" if one.element in there else "appeared"
        else:
            found[one.element] = one.kind if found.get(one.element, one.kind) == one.kind else "changed"
    return found


def marked(snapshot: Snapshot, kinds: Mapping[str, Kind], colours: Mapping[Kind, str]) -> str:
    """Return a snapshot as SVG, marked elements outlined in their colours and of the class `appeared` or `changed`.

    Nothing when none of them is drawn: what went is not. Raises MissingTool without graphviz.
    """
    root = draw(to_dot(snapshot))
    named = {element.get("id", ""): element for element in root.iter()}
    drawn = [(named[name], kind) for name, kind in kinds.items() if name in named]
    for element, kind in drawn:
        element.set("class", f"{element.get('class', '')} {kind}".strip())
        for shape in _outline(named.get(f"around/{element.get('id')}", element)):
            shape.attrib.update({"stroke": colours[kind], "stroke-width": "4"})
    root.set("style", f"{root.get('style', '')};max-height:{_HEIGHT}px")
    return written(root) if drawn else ""


def _outline(element: ET.Element) -> list[ET.Element]:
    """Return the shape around an element: a box's first one, or a line."""
    return [one for one in element if one.tag in _SHAPES][:1]
