"""Tunnels: VXLAN interfaces of one number on several hosts, joined by one pipe above the hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view import labels as lb
from netlab.view.boxes import place_id

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.scene import Scene

Mouth = tuple["PlaceState", "Interface"]  # a VXLAN interface with its place: where packets enter the tunnel


def draw_tunnels(canvas: Canvas, scene: Scene) -> None:
    """Draw each tunnel that the kernel would send packets through: its ends know an address of each other's host."""
    numbers: dict[str, list[Mouth]] = {}
    for place in scene.snapshot.places:
        for one in place.interfaces if scene.owns(place) else ():
            if one.kind == "vxlan" and (place.name, one.index) in canvas.anchors:
                numbers.setdefault(dict(one.details).get("id", "?"), []).append((place, one))
    for number, mouths in numbers.items():
        joined = [one for one in mouths if any(_joined(scene, one, other) for other in mouths if other is not one)]
        if joined:
            _draw_tunnel(canvas, scene, number, joined)


def _joined(scene: Scene, one: Mouth, other: Mouth) -> bool:
    return _reaches(scene, one, other[0]) or _reaches(scene, other, one[0])


def _reaches(scene: Scene, mouth: Mouth, other: PlaceState) -> bool:
    """Whether a VXLAN interface sends to an address of the other place, or of its host."""
    place, one = mouth
    details = dict(one.details)
    targets = {details.get("remote"), details.get("group")}
    targets |= {entry.destination for entry in place.forwarding if entry.interface == one.name}
    home = scene.snapshot.place(scene.home(other) or other.name) or other
    theirs = {address.address for owner in (other, home) for each in owner.interfaces for address in each.addresses}
    return bool(theirs & {target for target in targets if target})


def _draw_tunnel(canvas: Canvas, scene: Scene, number: str, mouths: list[Mouth]) -> None:
    """Draw a tunnel as a pipe between the hosts, below the internet that really carries its packets."""
    port = dict(mouths[0][1].details).get("port", "")
    text = lb.line(lb.strong(f"VXLAN {number}"), lb.small(f"UDP {port}" if port else ""))
    node = f"tunnel/{number}"
    label = lb.table(
        [lb.cell(lb.stack([text]))],
        border=1,
        cellborder=0,
        cellpadding=4,
        style="rounded,dashed",
        color=lb.QUIET,
        bgcolor="#ffffff",
    )
    canvas.draw(f"{lb.quoted(node)} [{lb.settings(label=label, id=node, **{'class': 'tunnel'})}]")
    for place in scene.internet:
        if place.kind == "router":
            canvas.hidden_edge(place_id(place), node)
    look = {"color": f"{lb.QUIET}:{lb.QUIET}", "class": "tunnel", "penwidth": 1.4}
    for place, one in mouths:
        name = f"{node}/{place.name}/{one.name}"
        canvas.edge(lb.quoted(node), canvas.anchors[place.name, one.index].at("n"), id=name, **look)
