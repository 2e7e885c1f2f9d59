"""Bridges: drawn like the switch that they are, a bar with a row of sockets; a large one in several rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.view import labels as lb
from netlab.view import words
from netlab.view.boxes import BOX_GAP, box_width, interface_id, is_marked, place_id, port, tooltip, unknown_end
from netlab.view.canvas import Anchor
from netlab.view.household import sockets
from netlab.view.scene import HIGHLIGHT, fold_id

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.canvas import Canvas
    from netlab.view.household import Household
    from netlab.view.scene import Scene

_SOCKET_GAP = 6
_SPINE = 15  # left of the sockets: room for the line from one row of a large bridge to the next


def draw_bridge(canvas: Canvas, scene: Scene, room: PlaceState, bridge: Interface, family: Household) -> str:
    """Draw a bridge, its ports as sockets, and below them the boxes that hang from it; return its first node."""
    ports = sockets(scene, room, bridge, family)
    columns = family.columns(len(ports)) if room.kind == "host" else max(1, len(ports))
    fold = fold_id(interface_id(room, bridge))
    rows = [ports[start : start + columns] for start in range(0, len(ports), columns)] or [[]]
    for number, row in enumerate(rows):
        node = _node(room, bridge, number)
        label = _bar(scene, room, bridge, row, first=number == 0, family=family, spine=len(rows) > 1)
        element = node if number else interface_id(room, bridge)
        canvas.draw(f"{lb.quoted(node)} [{lb.settings(label=label, id=f'around/{element}', **{'class': 'bridge'})}]")
        if number:
            _join_rows(canvas, scene, room, bridge, number)
        below = _place_below(canvas, room, row, node, family)
        canvas.first_row += [] if number else below
    canvas.anchors[room.name, bridge.index] = Anchor(_node(room, bridge, 0))
    if fold in scene.folds:
        _draw_fold(canvas, scene, room, bridge, fold)
    return _node(room, bridge, 0)


def _draw_fold(canvas: Canvas, scene: Scene, room: PlaceState, bridge: Interface, fold: str) -> None:
    """Draw one box for all that hangs from a folded bridge: how many there are, and how many of them do not work."""
    places = [scene.snapshot.places[scene.position[name]] for name in scene.folds[fold]]
    broken = sum(any(words.is_off(one) for one in place.interfaces if one.kind == "veth") for place in places)
    trouble = words.folded_broken(broken, scene.language) if broken else ""
    paint = scene.paint(room, bridge)
    lines = [(lb.strong(words.folded(len(places), scene.language)),), lb.line(lb.small(trouble, lb.ALARM))]
    label = lb.table(
        [lb.cell(lb.stack(lines))],
        border=4,
        cellborder=0,
        cellpadding=8,
        style="rounded",
        color=lb.ALARM if broken else paint.line,
        bgcolor="#ffffff",
    )
    canvas.draw(f"{lb.quoted(fold)} [{lb.settings(label=label, id=fold, **{'class': 'fold'})}]")
    ends = Anchor(_node(room, bridge, 0)).at("s"), Anchor(fold).at("n")
    canvas.edge(*ends, id=f"folded/{fold}", color=paint.line, penwidth=4, **{"class": "link"})


def _node(room: PlaceState, bridge: Interface, number: int) -> str:
    base = interface_id(room, bridge)
    return f"{base}/{number + 1}" if number else base


def _join_rows(canvas: Canvas, scene: Scene, room: PlaceState, bridge: Interface, number: int) -> None:
    """Show that the next bar is more of the same bridge."""
    upper, lower = (Anchor(_node(room, bridge, one), "spine") for one in (number - 1, number))
    paint = scene.paint(room, bridge)
    name = f"spine/{lower.node}"
    canvas.edge(upper.at("s"), lower.at("n"), id=name, color=paint.line, penwidth=4, minlen=2, weight=50)


def _place_below(canvas: Canvas, room: PlaceState, row: list[Interface], node: str, family: Household) -> list[str]:
    """Let boxes hang from a row of sockets; return their nodes."""
    below = []
    for one in row:
        end = (room.name, one.index)
        canvas.anchors[end] = Anchor(node, port(one))
        place = family.hanging.get(end)
        if place and one.peer_index is not None:
            canvas.falling[end, (place.name, one.peer_index)] = None
            below.append(place_id(place))
    return below


def _bar(
    scene: Scene,
    room: PlaceState,
    bridge: Interface,
    row: list[Interface],
    *,
    first: bool,
    family: Household,
    spine: bool,
) -> str:
    """Return the label of one row of the bridge: its name in the first, and the sockets."""
    paint = scene.paint(room, bridge)
    marked = is_marked(scene, room, bridge)
    cells = [_socket(scene, room, one, _socket_width(scene, room, one, family)) for one in row]
    if spine:
        cells.insert(0, lb.cell("", port="spine", width=_SPINE))
    head = lb.cell(
        lb.stack(bridge_lines(scene, room, bridge)),
        colspan=max(1, len(cells)),
        id=interface_id(room, bridge),
        href="#",
        title=tooltip(room, bridge),
        cellpadding=4,
    )
    return lb.table(
        [head if first else "", "".join(cells)],
        border=3 if marked else 2,
        cellborder=0,
        cellspacing=_SOCKET_GAP,
        cellpadding=3,
        style="rounded,dashed" if not bridge.up else "rounded",
        color=HIGHLIGHT if marked else paint.line if bridge.up else lb.ALARM,
        bgcolor=paint.paper if bridge.up else lb.ALARM_PAPER,
    )


def bridge_lines(scene: Scene, room: PlaceState, bridge: Interface) -> list[lb.Line]:
    """Return what is written on a bridge: name, the network's name, addresses."""
    network = scene.snapshot.networks.get((room.name, bridge.name), "")
    trouble = words.trouble(bridge, scene.language)
    return [
        lb.line(
            lb.strong(bridge.name),
            lb.strong(network if network not in (bridge.name, "bridge") else "", scene.paint(room, bridge).line),
            lb.small(words.bridge(scene.language)),
            lb.small(trouble, lb.ALARM),
        ),
        lb.line(*(lb.small(str(one)) for one in words.shown_addresses(bridge))),
    ]


def _socket_width(scene: Scene, room: PlaceState, one: Interface, family: Household) -> int | None:
    """Return the width that puts a socket right above its box."""
    place = family.hanging.get((room.name, one.index))
    return round(max(family.width, box_width(scene, place)) + BOX_GAP - _SOCKET_GAP) if place else None


def _socket(scene: Scene, room: PlaceState, one: Interface, wide: int | None) -> str:
    """Return a port of a bridge as a cell: the end of a veth that stays on this side."""
    off = words.is_off(one)
    marked = is_marked(scene, room, one)
    trouble = words.trouble(one, scene.language)
    kind = "" if one.kind == "veth" else one.kind
    lines = [
        (lb.small(one.name, lb.ALARM if off else lb.INK),),
        lb.line(lb.small(kind), lb.small(trouble, lb.ALARM)),
        lb.line(lb.small(unknown_end(scene, one))),
        *((lb.small(str(address)),) for address in words.shown_addresses(one)),
    ]
    return lb.cell(
        lb.stack(lines),
        port=port(one),
        id=interface_id(room, one),
        href="#",
        title=tooltip(room, one),
        border=3 if marked else 1,
        color=HIGHLIGHT if marked else lb.ALARM if off else scene.paint(room, one).line,
        style="rounded,dashed" if off else "rounded",
        bgcolor=lb.ALARM_PAPER if off else "#ffffff",
        width=wide,
    )
