"""Links: the lines between things, drawn last because every end has its place by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view import labels as lb
from netlab.view import words
from netlab.view.scene import PLAIN, Joint, Paint

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.scene import End, Scene


def draw_links(canvas: Canvas, scene: Scene) -> None:
    """Draw every veth pair, parent and tunnel that the kernel reports."""
    # The cables that boxes hang from come first and from left to right: graphviz keeps that order (ordering=out).
    falling = [Joint(*ends) for ends in canvas.falling]
    hung = {frozenset(joint) for joint in falling}
    for joint in (*falling, *(one for one in scene.joints if frozenset(one) not in hung)):
        if joint.first in canvas.anchors and joint.second in canvas.anchors:
            _draw_joint(canvas, scene, joint)
    for place in scene.snapshot.places:
        for interface in place.interfaces if scene.owns(place) else ():
            _draw_parent(canvas, scene, place, interface)
            _draw_unknown(canvas, scene, place, interface)
    _draw_tunnels(canvas, scene)


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
        "id": link_id(scene, joint),
        "class": "link broken" if broken else "link",
        "color": lb.ALARM if broken else paint.line,
        "style": "dashed" if broken else None,
        "penwidth": 2 if _level(scene, lower) <= 2 else None,  # noqa: PLR2004 - the way out of a host
    }
    beside = _in_one_row(canvas, upper, lower)
    if beside:
        first, second = (upper, lower) if beside > 0 else (lower, upper)
        canvas.edge(canvas.anchors[first].at("e"), canvas.anchors[second].at("w"), **look)
        return
    follows = (upper, lower) not in canvas.falling and _level(scene, lower) == 4  # noqa: PLR2004 - a box
    look["constraint"] = "false" if follows else None
    canvas.edge(canvas.anchors[upper].at("s"), canvas.anchors[lower].at("n"), **look)


def link_id(scene: Scene, joint: Joint) -> str:
    """Return the stable id of a veth pair's line."""
    first, second = sorted(f"{end[0]}/{scene.interface(end).name}" for end in joint)
    return f"link/{first}/{second}"


def _paint(scene: Scene, end: End) -> Paint:
    place = scene.snapshot.places[scene.position[end[0]]]
    return scene.paint(place, scene.interface(end))


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
        canvas.edge(canvas.anchors[parent].at("s"), canvas.anchors[end].at("n"), **look)


def _parent(scene: Scene, place: PlaceState, one: Interface) -> End:
    """Return the interface that a macvlan sits on: as reported, else the one of that number on the host."""
    home = one.peer_place or scene.home(place) or place.name
    owner = scene.owners.get(home, place)
    name = one.peer_name or dict(one.details).get("parent") or dict(one.details).get("link")
    found = owner.interface(name) if name else None
    return (owner.name, found.index if found else one.peer_index or 0)


def _draw_unknown(canvas: Canvas, scene: Scene, place: PlaceState, one: Interface) -> None:
    """Draw a loose cable end at a veth whose other end nobody in the lab has."""
    end = (place.name, one.index)
    if one.kind != "veth" or end not in canvas.anchors or scene.peer(one) or place.kind in words.INTERNET_KINDS:
        return
    node = f"unknown/{place.name}/{one.name}"
    label = f"<{lb.small('?')}>"
    canvas.draw(
        f"{lb.quoted(node)} [{lb.settings(label=label, id=node, shape='circle', width=0.2, margin=0.02)}, "
        f"{lb.settings(style='dashed', color=lb.QUIET, tooltip=words.elsewhere(scene.language))}]"
    )
    canvas.edge(canvas.anchors[end].at(), lb.quoted(node), style="dashed", color=lb.QUIET)


def _draw_tunnels(canvas: Canvas, scene: Scene) -> None:
    """Draw a tunnel between VXLAN interfaces of one number that name each other's host."""
    ends = [
        (place, one)
        for place in scene.snapshot.places
        for one in place.interfaces
        if one.kind == "vxlan" and scene.owns(place) and (place.name, one.index) in canvas.anchors
    ]
    for number, (place, one) in enumerate(ends):
        for other_place, other in ends[number + 1 :]:
            same = dict(one.details).get("id") == dict(other.details).get("id")
            if same and (_reaches(scene, place, one, other_place) or _reaches(scene, other_place, other, place)):
                _draw_tunnel(canvas, (place, one), (other_place, other))


def _reaches(scene: Scene, place: PlaceState, one: Interface, other: PlaceState) -> bool:
    """Whether a VXLAN interface sends to an address of the other place, or of its host."""
    details = dict(one.details)
    remotes = {details.get("remote"), details.get("group")}
    remotes |= {entry.destination for entry in place.forwarding if entry.interface == one.name}
    home = scene.snapshot.place(scene.home(other) or other.name) or other
    theirs = {address.address for owner in (other, home) for each in owner.interfaces for address in each.addresses}
    return bool(theirs & {remote for remote in remotes if remote})


def _draw_tunnel(canvas: Canvas, one: tuple[PlaceState, Interface], other: tuple[PlaceState, Interface]) -> None:
    details = dict(one[1].details)
    port = details.get("port", "")
    text = " ".join(part for part in ("VXLAN", details.get("id", ""), f"UDP {port}" if port else "") if part)
    name = "tunnel/" + "/".join(f"{place.name}/{interface.name}" for place, interface in (one, other))
    ends = [canvas.anchors[place.name, interface.index] for place, interface in (one, other)]
    look = {"id": name, "class": "tunnel", "color": "#64748b:#64748b", "penwidth": 2, "constraint": "false"}
    canvas.edge(ends[0].at(), ends[1].at(), label=f"<{lb.small(text)}>", **look)
