"""Matching the two ends of each veth pair, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from netlab.kernel.netlink import RouteSocket
from netlab.kernel.observe import Seen
from netlab.model import Interface


class _Ends:
    """The ends of all veth pairs, by the two numbers that they carry."""

    def __init__(self, seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> None:
        self._holds = holds
        self._by_numbers: dict[tuple[int, int | None], list[tuple[str, str]]] = {}
        for place, ones in seen.items():
            for one in ones:
                if one.interface.kind == "veth":
                    key = (one.interface.index, one.interface.peer_index)
                    self._by_numbers.setdefault(key, []).append((place, one.interface.name))

    def other(self, place: str, one: Seen) -> tuple[str, str] | None:
        """Return place and name of the other end, if somebody in the lab has it.

        Numbers alone may match by accident, so the kernel is asked whether the namespace is the one that it means.
        """
        for candidate, name in self._by_numbers.get((one.interface.peer_index or 0, one.interface.index), ()):
            if one.link_namespace is None:
                if candidate == place:
                    return candidate, name
            elif self._holds[place][0].namespace_id(self._holds[candidate][1]) == one.link_namespace:
                return candidate, name
        return None


def pair(seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> dict[str, list[Interface]]:
    """Find for each veth where its other end is, and return the interfaces of each place with that filled in.

    `holds` gives each place's netlink socket and a descriptor of its namespace (RTM_GETNSID, rtnetlink(7)).
    """
    ends = _Ends(seen, holds)
    paired: dict[str, list[Interface]] = {place: [] for place in seen}
    for place, ones in seen.items():
        for one in ones:
            end = ends.other(place, one) if one.interface.kind == "veth" else None
            found = replace(one.interface, peer_place=end[0], peer_name=end[1]) if end else one.interface
            paired[place].append(found)
    return paired
