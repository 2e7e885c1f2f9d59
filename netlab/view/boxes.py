"""Boxes: a container or a bare namespace as one small room, and the interfaces in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.ops import namespace_name
from netlab.view import labels as lb
from netlab.view import words
from netlab.view.scene import HIGHLIGHT, PLAIN, Paint, Scene

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState

# An interface of one of these kinds needs no word beside its name: the drawing says it.
_PLAIN_KINDS = frozenset({"veth", "ethernet", "loopback", ""})
# What each kind's details are worth saying, in the words of `ip -d link`.
_SHOWN_DETAILS = {"vxlan": ("id",), "macvlan": ("mode",), "ipvlan": ("mode",), "vlan": ("id",)}
_SPACING = 5  # between the cells of a box, and around them
NODE_GAP = 18  # between two boxes
BOX_GAP = NODE_GAP + 2 * (_SPACING + 1)  # from what stands in a box to what stands in the next


def place_id(place: PlaceState) -> str:
    """Return the stable id of a place in every picture."""
    return f"place/{place.name}"


def interface_id(place: PlaceState, interface: Interface) -> str:
    """Return the stable id of an interface; neither a namespace's nor an interface's name may hold a slash."""
    return f"interface/{place.name}/{interface.name}"


def link_id(place: PlaceState, interface: Interface, other_place: PlaceState, other: Interface) -> str:
    """Return the stable id of a cable, whichever end it is seen from."""
    ends = sorted((f"{place.name}/{interface.name}", f"{other_place.name}/{other.name}"))
    return "link/" + "/".join(ends)


def port(interface: Interface) -> str:
    """Return the name by which an edge finds the interface's cell."""
    return f"i{interface.index}"


def kind_words(interface: Interface) -> str:
    """Return the interface's kind as `ip` calls it, with what identifies it; nothing for the everyday kinds."""
    if interface.kind in _PLAIN_KINDS:
        return ""
    wanted = _SHOWN_DETAILS.get(interface.kind, ())
    return " ".join([interface.kind, *(value for key, value in interface.details if key in wanted)])


def interface_lines(scene: Scene, interface: Interface) -> list[lb.Line]:
    """Return what is written on an interface: name, kind, trouble, addresses."""
    trouble = words.trouble(interface, scene.language)
    ink = lb.ALARM if words.is_off(interface) else lb.INK
    head = lb.line(lb.strong(interface.name, ink), lb.small(kind_words(interface)), lb.small(trouble, lb.ALARM))
    addresses = [(lb.small(str(one)),) for one in words.shown_addresses(interface)]
    return [head, *addresses, lb.line(lb.small(unknown_end(scene, interface)))]


def unknown_end(scene: Scene, interface: Interface) -> str:
    """Say that nobody in the lab has the other end of this cable."""
    return words.elsewhere(scene.language) if interface.kind == "veth" and scene.peer(interface) is None else ""


def tooltip(place: PlaceState, interface: Interface) -> str:
    """Return what a reader sees who points at an interface."""
    state = f"{interface.state}, mtu {interface.mtu}, {interface.mac}" if interface.mac else interface.state
    return f"{place.name}: {interface.index}: {interface.name} ({interface.kind}) {state}"


def interface_cell(scene: Scene, place: PlaceState, interface: Interface, colspan: int | None = None) -> str:
    """Return an interface as a cell of its own id, dashed and red when it does not work."""
    off = words.is_off(interface)
    paint = scene.paint(place, interface)
    marked = is_marked(scene, place, interface)
    return lb.cell(
        lb.stack(interface_lines(scene, interface)),
        port=port(interface),
        colspan=colspan,
        id=interface_id(place, interface),
        href="#",
        title=tooltip(place, interface),
        border=3 if marked else 1,
        color=HIGHLIGHT if marked else lb.ALARM if off else paint.line,
        style="rounded,dashed" if off else "rounded",
        bgcolor=lb.ALARM_PAPER if off else "#ffffff",
        cellpadding=5,
    )


def is_marked(scene: Scene, place: PlaceState, interface: Interface | None = None) -> bool:
    """Whether the caller asked to point at this element: "web", or "web/eth0"."""
    return (f"{place.name}/{interface.name}" if interface else place.name) in scene.highlight


def box_lines(scene: Scene, place: PlaceState) -> list[lb.Line]:
    """Return what is written under the interfaces of a box: name, image, open ports."""
    lines = [lb.line(lb.strong(namespace_name(place.name)), lb.small(words.beside_name(place)))]
    if not scene.owns(place):
        lines.append((lb.small(words.shares(scene.owners[place.name].name, scene.language)),))
    elif not place.interfaces or (place.kind == "container" and _only_loopback(place)):
        lines.append((lb.small(words.no_network(scene.language)),))
    lines.append(lb.line(lb.small(words.listens(place, scene.language), "#0f5132")))
    return lines


def _only_loopback(place: PlaceState) -> bool:
    return all(one.kind == "loopback" for one in place.interfaces)


def box_paint(scene: Scene, place: PlaceState) -> Paint:
    """Return the colour of the first network that the place is on."""
    paints = (scene.paint(place, one) for one in place.interfaces)
    return next((one for one in paints if one is not PLAIN), PLAIN)


def box_interfaces(scene: Scene, place: PlaceState) -> tuple[Interface, ...]:
    return words.shown_interfaces(place) if scene.owns(place) else ()


def box_width(scene: Scene, place: PlaceState) -> float:
    """Return about how wide what stands in the box will be, in points."""
    if place.name not in scene.widths:
        scene.widths[place.name] = _box_width(scene, place)
    return scene.widths[place.name]


def _box_width(scene: Scene, place: PlaceState) -> float:
    wide = {one: lb.points(interface_lines(scene, one)) + 12 for one in box_interfaces(scene, place)}
    row = [points + _SPACING for one, points in wide.items() if one.kind != "loopback"]
    return max(sum(row) - _SPACING, lb.points(box_lines(scene, place)), *wide.values(), 0)


def inner_peer(scene: Scene, place: PlaceState, interface: Interface) -> Interface | None:
    """Return the other end of a cable that begins and ends in one place."""
    other = scene.peer(interface)
    return other[1] if other and other[0] is scene.owners[place.name] else None


def _cells_side_by_side(scene: Scene, place: PlaceState, interfaces: list[Interface]) -> list[str]:
    """Return the interfaces as cells; a cable that begins and ends here is a cell between its two ends."""
    cells: list[str] = []
    for one in interfaces:
        peer = inner_peer(scene, place, one)
        if peer is None:
            cells.append(interface_cell(scene, place, one))
        elif one.index < peer.index:
            off = words.is_off(one) or words.is_off(peer)
            cable = lb.stack([(lb.strong("✕" if off else "⇄", lb.ALARM if off else lb.QUIET),)])
            name = link_id(place, one, place, peer)
            middle = lb.cell(cable, id=name, href="#", title=f"{one.name} ⇄ {peer.name}", bgcolor="#ffffff")
            cells += [interface_cell(scene, place, one), middle, interface_cell(scene, place, peer)]
    return cells


def box(scene: Scene, place: PlaceState, least_width: float = 0) -> str:
    """Return the graphviz node of a container or a bare namespace."""
    shown = box_interfaces(scene, place)
    cells = _cells_side_by_side(scene, place, [one for one in shown if one.kind != "loopback"])
    across = max(1, len(cells))
    # lo has a row of its own, out of the way of cables that come from the side.
    loopback = [interface_cell(scene, place, one, colspan=across) for one in shown if one.kind == "loopback"]
    wide = round(max(least_width, box_width(scene, place)))
    name = lb.cell(lb.stack(box_lines(scene, place)), colspan=across, width=wide)
    marked = is_marked(scene, place)
    label = lb.table(
        ["".join(cells), *loopback, name],
        border=3 if marked else 1,
        cellborder=0,
        cellspacing=_SPACING,
        cellpadding=1,
        style="rounded",
        color=HIGHLIGHT if marked else box_paint(scene, place).line,
        bgcolor="#ffffff",
    )
    return f"{lb.quoted(place_id(place))} [{lb.settings(label=label, id=place_id(place), **{'class': place.kind})}]"
