"""Who stands where: the places inside each host, and which bridge or interface each of them hangs from."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netlab.view.boxes import box_width

if TYPE_CHECKING:
    from netlab.model import Interface, PlaceState
    from netlab.view.scene import End, Scene

_COLUMNS = ((36, 6), (64, 8))  # up to so many boxes, so many in a row: found by looking at pictures
_MOST_COLUMNS = 10
_WIDEST_COMMON = 150  # points; one long name should not widen every box
_LEAST_COMMON = 92  # room for 172.17.0.10/16: the ninth container should not widen, and so move, the eight before it


@dataclass(frozen=True)
class Household:
    """A host (or the world beside all hosts) with the places drawn inside it."""

    boxes: tuple[PlaceState, ...]
    rooms: tuple[PlaceState, ...]
    hanging: dict[End, PlaceState]  # the end, in a room, that each connected box hangs from
    width: float  # of a box, so that boxes look alike and stand in line
    groups: tuple[int, ...]  # how many boxes hang from each bridge or interface, and from nothing

    @property
    def loose(self) -> list[PlaceState]:
        """The boxes that hang from nothing."""
        hung = {place.name for place in self.hanging.values()}
        return [place for place in self.boxes if place.name not in hung]

    def columns(self, count: int) -> int:
        """Return how many of `count` boxes stand in one row.

        Few enough to read; and for a single network the same number when one more box comes, so that none moves.
        """
        widest = next((columns for most, columns in _COLUMNS if len(self.boxes) <= most), _MOST_COLUMNS)
        if len(self.groups) <= 1:
            return widest
        rows = 1
        while sum(math.ceil(group / rows) for group in self.groups) > max(widest + 1, len(self.groups)):
            rows += 1
        return max(1, math.ceil(count / rows))


def household(scene: Scene, host: str | None) -> Household:
    """Sort out what is drawn inside a host, and what hangs from what."""
    inside = scene.inside(host)
    boxes = tuple(place for place in inside if not scene.is_room(place))
    hanging: dict[End, PlaceState] = {}
    for place in boxes:
        ends = (_room_end(scene, host, one) for one in sorted(place.interfaces, key=lambda one: one.index))
        end = next((one for one in ends if one), None) if scene.owns(place) else None
        if end:
            hanging[end] = place
    width = min(_WIDEST_COMMON, max([_LEAST_COMMON, *(box_width(scene, place) for place in boxes)]))
    return Household(
        boxes=boxes,
        rooms=tuple(place for place in inside if scene.is_room(place)),
        hanging=hanging,
        width=width,
        groups=_groups(scene, hanging, len(boxes)),
    )


def _groups(scene: Scene, hanging: dict[End, PlaceState], boxes: int) -> tuple[int, ...]:
    sizes = Counter((end[0], scene.interface(end).master or end) for end in hanging)
    loose = boxes - len(hanging)
    return (*sizes.values(), *([loose] if loose else []))


def _room_end(scene: Scene, host: str | None, interface: Interface) -> End | None:
    """Return the other end of an interface if it is in a room of this host."""
    other = scene.peer(interface)
    if other is None or not scene.is_room(other[0]):
        return None
    here = host in (other[0].name, scene.home(other[0]))
    return (other[0].name, other[1].index) if here else None


def sockets(scene: Scene, room: PlaceState, bridge: Interface, family: Household) -> list[Interface]:
    """Return the ports of a bridge from left to right: in the order of the places at their other ends."""

    def order(one: Interface) -> tuple[int, int]:
        box = family.hanging.get((room.name, one.index))
        other = scene.peer(one)
        place = box or (other[0] if other else None)
        return (scene.position[place.name] if place else -1, one.index)

    def is_drawn(one: Interface) -> bool:
        other = scene.peer(one)
        return one.kind != "vxlan" and (other is None or scene.fold_of(other[0]) is None)

    return sorted((one for one in room.interfaces if one.master == bridge.name and is_drawn(one)), key=order)


def uplinks(scene: Scene, room: PlaceState, loose: list[Interface]) -> list[Interface]:
    """Return the interfaces that lead out of the room, to the internet or to the host around it."""

    def leads_out(one: Interface) -> bool:
        other = scene.peer(one)
        if one.kind != "veth":
            return one.kind == "ethernet"
        return other is not None and scene.home(other[0]) != room.name and other[0].name != room.name

    return [one for one in loose if leads_out(one)]
