"""Arrows over a finished layout: from a published port down between the boxes, and from the right into the one it leads to."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from netlab.view.boxes import NODE_GAP
from netlab.view.canvas import ARROW

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = tuple[float, float, float, float]  # left, top, right, bottom

_DOWN = 14  # from the top of the box to the arrow's point
_HEAD = 7
_BEND = 8


def draw_arrows(graph: ET.Element, dot: str, extent: Callable[[ET.Element], Box], svg: str) -> None:
    """Add the arrows that the source names in its comments. `svg` is the namespace of the elements."""
    wanted = [
        json.loads(line.strip().removeprefix(ARROW)) for line in dot.splitlines() if line.lstrip().startswith(ARROW)
    ]
    if not wanted:
        return
    groups = {one.get("id", ""): one for one in graph}
    # Behind all boxes and bars, so that no word is struck out, and before the rooms that they stand in.
    behind = sum(one.get("class", "").split(" ")[0] not in ("node", "edge") for one in graph)
    for start, end, color in wanted:
        shapes = [_shape(groups.get(name), svg) for name in (start, end)]
        if shapes[0] is None or shapes[1] is None:
            continue
        group = ET.Element(f"{{{svg}}}g", {"id": f"to/{start}", "class": "edge published"})
        graph.insert(behind, group)
        path, head = _route(extent(shapes[0]), extent(shapes[1]))
        look = {"fill": "none", "stroke": color, "stroke-width": "1.4", "stroke-dasharray": "6,3"}
        ET.SubElement(group, f"{{{svg}}}path", {**look, "d": path})
        ET.SubElement(group, f"{{{svg}}}polygon", {"fill": color, "stroke": color, "points": head})


def _shape(group: ET.Element | None, svg: str) -> ET.Element | None:
    if group is None:
        return None
    return next((one for one in group if one.tag in (f"{{{svg}}}rect", f"{{{svg}}}polygon")), None)


def _route(door: Box, box: Box) -> tuple[str, str]:
    """Return the path and the head's corners: down in the gap right of the box, where no socket and no box is."""
    x, y = (door[0] + door[2]) / 2, door[3]
    lane, point = box[2] + NODE_GAP / 2, box[1] + _DOWN
    middle = y + (box[1] - y) / 2
    bend = (middle - y) / 2
    path = (
        f"M{x:.2f},{y:.2f}C{x:.2f},{y + bend:.2f} {lane:.2f},{middle - bend:.2f} {lane:.2f},{middle:.2f}"
        f"C{lane:.2f},{middle:.2f} {lane:.2f},{point - _BEND:.2f} {lane:.2f},{point - _BEND:.2f}"
        f"C{lane:.2f},{point:.2f} {lane:.2f},{point:.2f} {box[2] + _HEAD / 2:.2f},{point:.2f}"
    )
    back = box[2] + _HEAD
    head = f"{back:.2f},{point - 3:.2f} {box[2]:.2f},{point:.2f} {back:.2f},{point + 3:.2f}"
    return path, head
