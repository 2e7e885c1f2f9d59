"""Rooms: a host, or a namespace with a bridge in it, with everything that stands inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.ops import namespace_name
from netlab.view import labels as lb
from netlab.view import words
from netlab.view.boxes import box, interface_cell, interface_id, is_marked, place_id, port
from netlab.view.bridges import draw_bridge
from netlab.view.canvas import Anchor
from netlab.view.household import Household, household, uplinks
from netlab.view.nat import translations
from netlab.view.published import draw_published
from netlab.view.scene import HIGHLIGHT

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.scene import Scene

_MOST_TRANSLATIONS = 8


def draw_host(canvas: Canvas, scene: Scene, host: PlaceState) -> None:
    """Draw a host: its own interfaces, NAT and bridges, and inside it the containers and namespaces."""
    family = household(scene, host.name)
    with canvas.cluster(place_id(host), label=_title(scene, host), **_frame(scene, host)):
        top = _draw_furniture(canvas, scene, host, family)
        _draw_family(canvas, scene, family, below=top)
        if top is None and not family.boxes and not family.rooms:
            # Graphviz does not draw a frame around nothing.
            canvas.draw(f"{lb.quoted('floor/' + host.name)} [shape=box, style=invis, label={lb.quoted('')}]")


def draw_beside(canvas: Canvas, scene: Scene) -> None:
    """Draw the containers and namespaces of a lab that has no host."""
    _draw_family(canvas, scene, household(scene, None), below=None)


def _draw_family(canvas: Canvas, scene: Scene, family: Household, below: str | None) -> None:
    for room in family.rooms:
        with canvas.cluster(place_id(room), label=_title(scene, room), **_frame(scene, room)):
            _draw_furniture(canvas, scene, room, family)
    for place in family.boxes:
        canvas.draw(box(scene, place, family.width))
        for one in place.interfaces if scene.owns(place) else ():
            canvas.anchors[place.name, one.index] = Anchor(place_id(place), port(one))
    _line_up(canvas, family, below)


def _line_up(canvas: Canvas, family: Household, below: str | None) -> None:
    """Put the boxes that hang from nothing into rows."""
    boxes = family.loose
    columns = family.columns(len(boxes))
    rows = [boxes[start : start + columns] for start in range(0, len(boxes), columns)]
    # A hidden edge from above would pull at the first row; a box that hangs there already does not.
    hung = [node for node in canvas.first_row if node in {place_id(place) for place in family.boxes}][-1:]
    for number, row in enumerate(rows):
        canvas.same_row(([] if number else hung) + [place_id(place) for place in row])
        for column, place in enumerate(row):
            if number:
                canvas.hidden_edge(place_id(rows[number - 1][column]), place_id(place))
            elif below and not hung:
                canvas.hidden_edge(below, place_id(place))


def _draw_furniture(canvas: Canvas, scene: Scene, room: PlaceState, family: Household) -> str | None:
    """Draw what belongs to the room itself, from top to bottom; return the node that all below hangs from."""
    shown = [one for one in words.shown_interfaces(room) if one.kind != "bridge"]
    tunnels = [one for one in shown if one.kind == "vxlan"]
    free = [one for one in shown if one.master is None and one not in tunnels]
    top = uplinks(scene, room, free)
    for one in (*top, *tunnels, *(one for one in free if one not in top)):
        _draw_interface(canvas, scene, room, one)
        _let_fall(canvas, room, one, family)
    upper = [interface_id(room, one) for one in top]
    if room.kind == "host":
        draw_published(canvas, scene, room, upper)
    nat = _draw_nat(canvas, scene, room)
    for one in top if nat else ():
        _routing_edge(canvas, room, interface_id(room, one), nat or "", routed=bool(one.addresses))
    for one in tunnels:
        _hide_edges(canvas, upper, interface_id(room, one))
    upper = [nat] if nat else upper
    bridges = [one for one in room.interfaces if one.kind == "bridge"]
    for bridge in bridges:
        node = draw_bridge(canvas, scene, room, bridge, family)
        for above in upper:
            _routing_edge(canvas, room, above, node, routed=bool(bridge.addresses) and bridge.up)
    _join_to_bridges(canvas, scene, room, tunnels)
    # What boxes hang from goes first, in their order, so that no cable crosses another interface.
    rest = [one for one in free if one not in top]
    rest.sort(key=lambda one: (room.name, one.index) not in family.hanging)
    beside = [interface_id(room, one) for one in rest]
    if beside:
        canvas.same_row(beside)
    for node in beside:
        _hide_edges(canvas, upper, node)
    return next(iter([*upper, *(interface_id(room, one) for one in (*bridges, *tunnels)), *beside]), None)


def _hide_edges(canvas: Canvas, upper: list[str], lower: str) -> None:
    for above in upper:
        canvas.hidden_edge(above, lower)


def _join_to_bridges(canvas: Canvas, scene: Scene, room: PlaceState, ports: list[Interface]) -> None:
    """Join ports that stand outside their bridge, because a tunnel comes in from above, to it."""
    for one in ports:
        bridge = room.interface(one.master) if one.master else None
        if bridge:
            paint = scene.paint(room, bridge)
            ends = canvas.anchors[room.name, one.index].at("s"), canvas.anchors[room.name, bridge.index].at()
            canvas.edge(*ends, id=f"port/{room.name}/{one.name}", color=paint.line)


def _draw_interface(canvas: Canvas, scene: Scene, room: PlaceState, one: Interface) -> None:
    """Draw an interface of the room that is not a bridge's port."""
    label = lb.table([interface_cell(scene, room, one)], border=0, cellborder=0, cellspacing=0)
    look = lb.settings(label=label, id=f"around/{interface_id(room, one)}")
    canvas.draw(f"{lb.quoted(interface_id(room, one))} [{look}]")
    canvas.anchors[room.name, one.index] = Anchor(interface_id(room, one), port(one))


def _let_fall(canvas: Canvas, room: PlaceState, one: Interface, family: Household) -> None:
    """Let the box at the other end of a cable stand below the interface."""
    end = (room.name, one.index)
    if end in family.hanging and one.peer_index is not None:
        canvas.falling[end, (family.hanging[end].name, one.peer_index)] = None
        canvas.first_row.append(place_id(family.hanging[end]))


def _draw_nat(canvas: Canvas, scene: Scene, room: PlaceState) -> str | None:
    """Draw a note that says what the room's nftables rules do to addresses; return its node."""
    lines = translations(room, scene.snapshot)
    if not lines:
        return None
    shown = lines[:_MOST_TRANSLATIONS]
    if len(lines) > len(shown):
        shown.append(words.more(len(lines) - len(shown), scene.language))
    label = "<" + "<BR/>".join(str(lb.small(one, "#5c4a00")) for one in shown) + ">"
    node = f"nat/{room.name}"
    look = {"shape": "note", "style": "filled", "fillcolor": "#fff8db", "color": "#b08900", "class": "nat"}
    canvas.draw(f"{lb.quoted(node)} [{lb.settings(label=label, id=node, margin='0.14,0.08', **look)}]")
    return node


def _routing_edge(canvas: Canvas, room: PlaceState, upper: str, lower: str, *, routed: bool) -> None:
    """Join two things that the room's kernel routes between; without ip_forward it does not, and no line is drawn."""
    if routed and room.ip_forward:
        look = {"style": "dotted", "color": lb.QUIET, "penwidth": 1.4, "weight": 20, "class": "routing"}
        canvas.edge(lb.quoted(upper), lb.quoted(lower), id=f"routing/{upper}/{lower}", **look)
    else:
        canvas.hidden_edge(upper, lower)


def _title(scene: Scene, room: PlaceState) -> str:
    could_route = sum(bool(one.addresses) for one in room.interfaces if one.kind != "loopback") > 1
    forwarding = "ip_forward = 0" if could_route and not room.ip_forward else ""
    listens = words.listens(room, scene.language)
    line = lb.line(
        lb.strong(namespace_name(room.name)),
        lb.small(words.beside_name(room)),
        lb.small(forwarding),
        lb.small(listens, "#0f5132"),
    )
    return f"<{lb.stack([line])}>"


def _frame(scene: Scene, room: PlaceState) -> dict[str, object]:
    marked = is_marked(scene, room)
    return {
        "style": "rounded,filled",
        "color": HIGHLIGHT if marked else "#94a3b8",
        "penwidth": 3 if marked else 1.2,
        "fillcolor": "#f6f8fb" if room.kind == "host" else "#ffffff",
        "margin": 14,
        "labeljust": "l",
        "class": room.kind,
    }
