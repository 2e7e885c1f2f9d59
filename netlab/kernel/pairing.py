"""Matching the two ends of each veth pair, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from netlab.kernel.netlink import RouteSocket
from netlab.kernel.observe import Seen
from netlab.model import Interface

Paired = dict[str, tuple[Interface, ...]]
_End = tuple[str, int]  # a place and the interface's number there


class _Match(NamedTuple):
    """What was found for one end: as it was seen, its other end, and the interface with that filled in."""

    seen: Seen
    other: _End
    interface: Interface


class Pairing:
    """Matches again and again; of the kernel it asks only what it does not know from the last time."""

    def __init__(self) -> None:
        self._matches: dict[_End, _Match] = {}
        self._paired: Paired = {}

    def pair(self, seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> Paired:
        """Find for each veth where its other end is, and return the interfaces of each place with that filled in.

        `holds` gives each place's netlink socket and a descriptor of its namespace (RTM_GETNSID, rtnetlink(7)). What is as
        it was the last time is the same object.
        """
        ends = _Ends(seen, holds)
        matches: dict[_End, _Match] = {}
        paired: Paired = {}
        for place, ones in seen.items():
            found = tuple(self._interface(ends, matches, place, one) for one in ones)
            known = self._paired.get(place, ())
            same = len(known) == len(found) and all(old is new for old, new in zip(known, found, strict=True))
            paired[place] = known if same else found
        self._matches, self._paired = matches, paired
        return paired

    def _interface(self, ends: _Ends, matches: dict[_End, _Match], place: str, one: Seen) -> Interface:
        if one.interface.kind != "veth":
            return one.interface
        end = place, one.interface.index
        known = self._matches.get(end)
        if known is None or known.seen is not one or not ends.has(known):
            other = ends.other(place, one)
            if other is None:
                return one.interface
            found = replace(one.interface, peer_place=other[0], peer_name=ends.by_number[other].interface.name)
            same = known is not None and known.interface == found
            known = _Match(one, other, known.interface if known and same else found)
        matches[end] = known
        return known.interface


class _Ends:
    """The ends of all veth pairs, by the two numbers that they carry."""

    def __init__(self, seen: Mapping[str, list[Seen]], holds: Mapping[str, tuple[RouteSocket, int]]) -> None:
        self._holds = holds
        self.by_number = {(place, one.interface.index): one for place, ones in seen.items() for one in ones}

    @cached_property
    def _by_numbers(self) -> dict[tuple[int, int | None], list[_End]]:
        found: dict[tuple[int, int | None], list[_End]] = {}
        for end, one in self.by_number.items():
            if one.interface.kind == "veth":
                found.setdefault((one.interface.index, one.interface.peer_index), []).append(end)
        return found

    def has(self, match: _Match) -> bool:
        """Whether the other end is still where it was, with the same name and numbers."""
        other = self.by_number.get(match.other)
        name, numbers = match.interface.peer_name, (match.interface.peer_index, match.interface.index)
        return other is not None and (other.interface.name, (other.interface.index, other.interface.peer_index)) == (
            name,
            numbers,
        )

    def other(self, place: str, one: Seen) -> _End | None:
        """Return the other end, if somebody in the lab has it.

        Numbers alone may match by accident, so the kernel is asked whether the namespace is the one that it means.
        """
        for end in self._by_numbers.get((one.interface.peer_index or 0, one.interface.index), ()):
            if one.link_namespace is None:
                if end[0] == place:
                    return end
            elif self._holds[place][0].namespace_id(self._holds[end[0]][1]) == one.link_namespace:
                return end
        return None
