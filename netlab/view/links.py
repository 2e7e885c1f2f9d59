"""Links: the lines between things, drawn last because every end has its place by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view import labels as lb
from netlab.view import words
from netlab.view.boxes import link_id
from netlab.view.scene import PLAIN, Joint, Paint
from netlab.view.tunnels import draw_tunnels

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.scene import End, Scene


_STRAIGHT = 1000  # more than graphviz's wish for a narrow frame (128)


def draw_links(canvas: Canvas, scene: Scene) -> None:
    """Draw every veth pair, parent and tunnel that the kernel reports."""
    # The cables that boxes hang from come first and from left to right: graphviz keeps that order (ordering=out).
    falling = [Joint(*ends) for ends in canvas.falling]
    hung = {frozenset(joint) for joint in falling}
    for joint in (*falling, *(one for one in scene.joints if frozenset(one) not in hung)):
        nodes = {canvas.anchors[end].node for end in joint if end in canvas.anchors}
        if len(nodes) == len(joint):  # a cable inside one box is part of the box
            _draw_joint(canvas, scene, joint)
    for place in scene.snapshot.places:
        for interface in place.interfaces if scene.owns(place) else ():
            _draw_parent(canvas, scene, place, interface)
    draw_tunnels(canvas, scene)


def _level(scene: Scene, end: End) -> int:
    """Return how far down in the picture the end's place stands."""
    place = scene.snapshot.places[scene.position[end[0]]]
    if place.kind in words.INTERNET_KINDS:
        return 1 if place.kind == "router" else 0
    if place.kind == "host":
        return 2
    return 3 if scene.is_room(place) else 4


def _draw_joint(canvas: Canvas, scene: Scene, joint: Joint) -> None:
    upper, lower = joint
    if (lower, upper) in canvas.falling or _level(scene, lower) < _level(scene, upper):
        upper, lower = lower, upper
    broken = scene.broken(joint)
    paint = next((one for one in (_paint(scene, end) for end in (upper, lower)) if one is not PLAIN), PLAIN)
    look: dict[str, object] = {
        "id": link_id(*_seen(scene, upper), *_seen(scene, lower)),
        "class": "link broken" if broken else "link",
        "color": lb.ALARM if broken else paint.line,
        "style": "dashed" if broken else None,
        "penwidth": 2 if _level(scene, lower) <= 2 else None,
    }
    beside = _in_one_row(canvas, upper, lower)
    if beside:
        first, second = (upper, lower) if beside > 0 else (lower, upper)
        canvas.edge(canvas.anchors[first].at("e"), canvas.anchors[second].at("w"), minlen=3, **look)
        return
    if _level(scene, upper) < 2:
        lower_end = canvas.anchors[lower]
        canvas.edge(canvas.anchors[upper].at(), lower_end.at("n" if lower_end.cell else None), **look)
        return
    # A box hangs from one bridge and follows the others; but one that hangs in a room has the host's bridges above it too.
    hangs_from = next((_level(scene, end) for end, (name, _) in canvas.falling if name == lower[0]), 2)
    follows = (upper, lower) not in canvas.falling and _level(scene, lower) == 4 and _level(scene, upper) >= hangs_from
    look["constraint"] = "false" if follows else None
    look["weight"] = _STRAIGHT if (upper, lower) in canvas.falling else None
    canvas.edge(canvas.anchors[upper].at("s"), canvas.anchors[lower].at("n"), **look)


def _seen(scene: Scene, end: End) -> tuple[PlaceState, Interface]:
    return scene.snapshot.places[scene.position[end[0]]], scene.interface(end)


def _paint(scene: Scene, end: End) -> Paint:
    return scene.paint(*_seen(scene, end))


def _in_one_row(canvas: Canvas, upper: End, lower: End) -> int:
    """Return 1 when the second end's node stands right of the first's in one row, -1 when left of it, else 0."""
    nodes = canvas.anchors[upper].node, canvas.anchors[lower].node
    for row in canvas.rows:
        if nodes[0] in row and nodes[1] in row:
            return (row.index(nodes[1]) > row.index(nodes[0])) - (row.index(nodes[1]) < row.index(nodes[0]))
    return 0


def _draw_parent(canvas: Canvas, scene: Scene, place: PlaceState, one: Interface) -> None:
    """Draw a line from a macvlan's or ipvlan's parent, on the host, to it."""
    if one.kind not in ("macvlan", "ipvlan"):
        return
    parent = _parent(scene, place, one)
    end = (place.name, one.index)
    if parent in canvas.anchors and end in canvas.anchors and parent != end:
        look = {"color": lb.QUIET, "style": "dashed", "class": "parent", "id": f"parent/{place.name}/{one.name}"}
        canvas.edge(canvas.anchors[parent].at(), canvas.anchors[end].at("n"), **look)


def _parent(scene: Scene, place: PlaceState, one: Interface) -> End:
    """Return the interface that a macvlan sits on: as reported, else the one of that number on the host."""
    home = one.peer_place or scene.home(place) or place.name
    owner = scene.owners.get(home, place)
    name = one.peer_name or dict(one.details).get("parent") or dict(one.details).get("link")
    found = owner.interface(name) if name else None
    return (owner.name, found.index if found else one.peer_index or 0)
