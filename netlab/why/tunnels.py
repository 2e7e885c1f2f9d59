"""What the kernel knows of tunnels (VXLAN, RFC 7348): where they send to, who answers in them, and where they come out."""

from __future__ import annotations

import ipaddress

from netlab.model import Interface
from netlab.reasons import Finding
from netlab.why.kernel import Kernel, addresses
from netlab.why.trouble import Failed, Repair

_UNKNOWN = "00:00:00:00:00:00"  # the entry for whatever has none of its own
_PORT = 4789


class Tunnels:
    """Reads the tables of a lab's tunnels."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def port(self, place: str, one: Interface) -> int:
        """Return the UDP port that a tunnel sends to."""
        return int(self._kernel.kind_data(place, one.name).get("port", _PORT))

    def answer(self, place: str, one: Interface, address: str) -> str | None:
        """Return the hardware address with which a tunnel itself answers an ARP question, if it does (`proxy`)."""
        if not self._kernel.kind_data(place, one.name).get("proxy"):
            return None
        found = (
            each
            for each in self._kernel.place(place).neighbours
            if (each.interface, each.address) == (one.name, address)
        )
        return next((each.mac for each in found if each.mac and each.state not in ("failed", "incomplete")), None)

    def remotes(self, place: str, one: Interface, mac: str) -> list[str]:
        """Return the addresses that a tunnel sends a frame for a hardware address to."""
        told = self._kernel.kind_data(place, one.name)
        for wanted in (mac, _UNKNOWN):
            entries = (each for each in self._kernel.forwarding(place) if each["ifname"] == one.name and "dst" in each)
            if found := [str(each["dst"]) for each in entries if each["mac"] == wanted]:
                return found
        return [str(told[key]) for key in ("remote", "remote6", "group") if told.get(key)]

    def mouth(self, there: str, place: str, one: Interface) -> tuple[str, Interface]:
        """Return the other end of a tunnel: that of the same number whose outside is in `there`; raises Failed."""
        told = self._kernel.kind_data(place, one.name)
        others = [
            (name, mouth) for name, mouth in self._mouths() if self._kernel.home_of_link(name, mouth.name) == there
        ]
        for name, mouth in others:
            data = self._kernel.kind_data(name, mouth.name)
            if data.get("id") == told.get("id") and data.get("port", _PORT) == told.get("port", _PORT):
                return self._kernel.place(name).name, mouth
        numbers = ", ".join(dict(mouth.details).get("id", "?") for _, mouth in others)
        facts = {"interface": one.name, "number": told.get("id"), "numbers": numbers}
        raise Failed("tunnel", Finding("tunnel-number", there, facts))

    def _mouths(self) -> list[tuple[str, Interface]]:
        found = {
            (state.inode, mouth.name): (state.name, mouth)
            for state in reversed(self._kernel.snapshot.places)
            for mouth in state.interfaces
            if mouth.kind == "vxlan"
        }
        return list(reversed(found.values()))

    def noting(self, place: str, one: Interface, mac: str, asked: str) -> list[Repair]:
        """Return the commands that tell a tunnel where a container is: its host, and for an ARP question who it is."""
        number = self._kernel.kind_data(place, one.name).get("id")
        for wanted in (each for state in self._kernel.snapshot.places for each in state.interfaces):
            meant = any(each.address == asked for each in wanted.addresses)
            if not wanted.peer_place or not (meant or wanted.mac == mac):
                continue
            end = self._kernel.place(wanted.peer_place)
            for mouth in end.interfaces:
                same = mouth.kind == "vxlan" and self._kernel.kind_data(end.name, mouth.name).get("id") == number
                remote = self._reached((place, one), (end.name, mouth)) if same else None
                if remote is not None:
                    entry = Repair(place, f"bridge fdb append {wanted.mac} dev {one.name} dst {remote} self permanent")
                    note = f"ip neigh replace {asked} lladdr {wanted.mac} dev {one.name} nud permanent"
                    return [entry, Repair(place, note)] if meant else [entry]
        return []

    def _reached(self, mouth: tuple[str, Interface], other: tuple[str, Interface]) -> str | None:
        """Return the address at which one tunnel's outside reaches that of another."""
        homes = [self._kernel.home_of_link(place, one.name) for place, one in (mouth, other)]
        here, there = (
            [each for link in (self._kernel.place(home).interfaces if home else ()) for each in addresses(link, 4)]
            for home in homes
        )
        subnets = [ipaddress.ip_interface(str(own)).network for own in here if own.scope == "global"]
        own = {each.address for each in here}
        near = (each.address for each in there if each.address not in own)
        return next((each for each in near if any(ipaddress.ip_address(each) in subnet for subnet in subnets)), None)
