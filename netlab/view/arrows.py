"""Arrows over a finished layout: from a published port down between the boxes, and from the right into the one it leads to."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from netlab.view.boxes import NODE_GAP
from netlab.view.canvas import ARROW
from netlab.view.labels import quoted, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = tuple[float, float, float, float]  # left, top, right, bottom

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ORIGIN = "arrows"
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


def placed_edges(graph: ET.Element, svg: str) -> list[str]:
    """Return the arrows that `draw_arrows` added as statements of dot that have their place already, for `neato -n2`.

    They stand at the head of the graph, from an unseen node to itself: graphviz draws the edges of a node right after it, and
    so these behind all other nodes.
    """
    edges = []
    at = ""  # where the unseen node stands: where it makes the picture no larger
    for group in graph:
        path, head = group.find(f"{{{svg}}}path"), group.find(f"{{{svg}}}polygon")
        if group.get("class") == "edge published" and path is not None and head is not None:
            tip = _points(head.get("points", ""))[1]
            way = _points(path.get("d", ""))
            at = way[0]
            look = settings(
                pos=" ".join([f"e,{tip}", *way]),
                color=path.get("stroke"),
                style="dashed",
                penwidth=1.4,
                arrowsize=0.6,
                dir="forward",
            )
            edges.append(f"{quoted(_ORIGIN)} -> {quoted(_ORIGIN)} [{look}]")
    unseen = settings(style="invis", shape="point", pos=at, width=0, height=0)
    return [f"{quoted(_ORIGIN)} [{unseen}]", *edges] if edges else []


def _points(shape: str) -> list[str]:
    """Return the points of a shape as graphviz counts: upwards."""
    numbers = [float(one) for one in _NUMBER.findall(shape)]
    return [f"{x:g},{-y:g}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


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
