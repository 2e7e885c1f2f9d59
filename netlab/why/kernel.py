"""What is asked of the kernel for an explanation: one snapshot of all places, and more of those that a packet comes by."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from netlab import observer
from netlab.errors import MissingTool
from netlab.kernel.lookup import Way, way
from netlab.model import Address, Interface, PlaceState, Route, Snapshot, Socket
from netlab.why.rules import RuleId, Ruleset
from netlab.why.trouble import Unsure
from netlab.world import World

BROADCAST = "ff:ff:ff:ff:ff:ff"
_LAYER_TWO = "ip -j -d link show; bridge -j -d link show; bridge -j fdb show"
_EVERYWHERE = ("0.0.0.0", "*", "::")


class Kernel:
    """Answers about places. What was asked once is not asked again: an explanation is about one moment."""

    def __init__(self, world: World, snapshot: Snapshot) -> None:
        self.world = world
        self.snapshot = snapshot
        self._rulesets: dict[str, Ruleset] = {}
        self._layer_two: dict[str, tuple[list[dict[str, Any]], ...]] = {}
        self._parameters: dict[tuple[str, str], str] = {}

    # ── places and interfaces ──────────────────────────────────────────────────────────────────────────────────────

    def place(self, name: str) -> PlaceState:
        """Return what is reported of a place; of containers that share a namespace, the one that has it first."""
        state = self.snapshot.place(name)
        if state is None:
            raise Unsure("interface", name, f"{name} has just gone", f"{name} はなくなりました", "ip netns")
        return next(one for one in self.snapshot.places if one.inode == state.inode)

    def interface(self, place: str, name: str) -> Interface | None:
        """Return an interface by its name."""
        return self.place(place).interface(name)

    def named(self, place: str, index: int | None) -> str:
        """Return the name of an interface by its number."""
        return next((one.name for one in self.place(place).interfaces if one.index == index), "")

    def owners(self, address: str) -> list[tuple[str, Interface]]:
        """Return all interfaces that have an address, with their places."""
        seen: set[int] = set()
        found = []
        for state in self.snapshot.places:
            if state.inode not in seen:
                seen.add(state.inode)
                found += [
                    (state.name, one) for one in state.interfaces if any(a.address == address for a in one.addresses)
                ]
        return found

    def has(self, place: str, address: str) -> bool:
        """Whether an address is a place's own; 127.0.0.0/8 is everybody's."""
        own = {a.address for one in self.place(place).interfaces for a in one.addresses}
        return address in own or ipaddress.ip_address(address).is_loopback

    # ── routes and parameters ──────────────────────────────────────────────────────────────────────────────────────

    def way(self, place: str, destination: str, source: str = "", incoming: str = "", mark: int = 0) -> Way:
        """Return the way that the kernel itself chooses in a place (`ip route get`)."""
        index = next((one.index for one in self.place(place).interfaces if one.name == incoming), None)
        return way(
            self.world.route_socket(place), destination, source=source or None, incoming=index, mark=mark
        )  # fmt: skip

    def refusing_route(self, place: str, destination: str) -> Route | None:
        """Return the route to an address that says not to send it on: blackhole, unreachable or prohibit."""
        address = ipaddress.ip_address(destination)
        matching = [
            route
            for route in self.place(place).routes
            if route.destination != "default" and address in ipaddress.ip_network(route.destination)
        ]
        best = max(matching, key=lambda route: ipaddress.ip_network(route.destination).prefixlen, default=None)
        return best if best is not None and best.kind != "unicast" else None

    def parameter(self, place: str, key: str) -> str:
        """Return a kernel parameter of a place (sysctl), or nothing where there is none of that name."""
        if (place, key) not in self._parameters:
            try:
                value = self.world.read_file(place, f"/proc/sys/{key}").strip()
            except OSError:
                value = ""
            self._parameters[place, key] = value
        return self._parameters[place, key]

    def file(self, place: str, path: str) -> str:
        """Return a file of a place, or nothing."""
        try:
            return self.world.read_file(place, f"/proc/{self.world.entry(place).pid}/root{path}")
        except OSError:
            return ""

    # ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def ruleset(self, place: str) -> Ruleset:
        """Return the nftables rules of a place."""
        place = self.place(place).name
        if place not in self._rulesets:
            done = self.world.run_command(place, ["nft", "-j", "list", "ruleset"], timeout=30)
            self._rulesets[place] = Ruleset(json.loads(done.stdout) if done.returncode == 0 and done.stdout else {})
        return self._rulesets[place]

    def rule_words(self, place: str, which: RuleId) -> tuple[str, str]:
        """Return a rule in nft's words, and its comment."""
        try:
            chains = observer.chains(self.world, place)
        except MissingTool:
            return "", ""
        for chain in chains:
            if (chain.family, chain.table, chain.name) == (which.family, which.table, which.chain):
                for rule in chain.rules:
                    if rule.handle == which.handle:
                        return rule.text, rule.comment or ""
        return "", ""

    # ── bridges, tunnels and what stands on other interfaces ───────────────────────────────────────────────────────

    def _second_layer(self, place: str) -> tuple[list[dict[str, Any]], ...]:
        place = self.place(place).name
        if place not in self._layer_two:
            said = self.world.run_command(place, ["/bin/sh", "-c", _LAYER_TWO], timeout=30).stdout
            self._layer_two[place] = tuple(_documents(said))
        return self._layer_two[place]

    def link(self, place: str, name: str) -> Mapping[str, Any]:
        """Return what `ip -d link` tells of an interface."""
        return next((one for one in self._second_layer(place)[0] if one.get("ifname") == name), {})

    def kind_data(self, place: str, name: str) -> Mapping[str, Any]:
        """Return what is told of an interface's kind: `vlan_filtering` of a bridge, `proxy` of a tunnel, …"""
        data: Mapping[str, Any] = self.link(place, name).get("linkinfo", {}).get("info_data", {})
        return data

    def port(self, place: str, name: str) -> Mapping[str, Any]:
        """Return what `bridge -d link` tells of a bridge's port: `state`, `hairpin`, `isolated`, …"""
        return next((one for one in self._second_layer(place)[1] if one.get("ifname") == name), {})

    def forwarding(self, place: str) -> list[dict[str, Any]]:
        """Return what `bridge fdb` lists."""
        return self._second_layer(place)[2]

    @cached_property
    def lowers(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The interface that each macvlan, ipvlan and vlan interface stands on: {("c1", "eth0"): ("host", "eth0")}."""
        found = {}
        for state in self.snapshot.places:
            for one in state.interfaces:
                if one.kind in ("macvlan", "ipvlan", "vlan") and (home := self.home_of_link(state.name, one.name)):
                    below = self.named(home, one.peer_index)
                    if below:
                        found[state.name, one.name] = home, below
        return found

    def home_of_link(self, place: str, name: str) -> str | None:
        """Return the place that an interface's other half is in (`link-netnsid`): what it stands on, its tunnel's outside."""
        number = self.link(place, name).get("link_netnsid")
        if number is None:
            return place
        socket = self.world.route_socket(place)
        for entry in self.world:
            if socket.namespace_id(entry.descriptor) == number:
                return self.place(entry.name).name
        return None

    # ── sockets ────────────────────────────────────────────────────────────────────────────────────────────────────

    def sockets(self, place: str, protocol: str, port: int) -> list[Socket]:
        """Return the sockets that listen on a port, whatever their address."""
        return [one for one in self.place(place).sockets if (one.protocol, one.port) == (protocol, port)]

    def listener(self, place: str, protocol: str, address: str, port: int) -> Socket | None:
        """Return the socket that a packet is for: one of just this address before one of all."""
        found = self.sockets(place, protocol, port)
        exact = next((one for one in found if one.address == address), None)
        version = 6 if ":" in address else 4
        return exact or next(
            (one for one in found if one.address in _EVERYWHERE and (version == 4 or ":" in one.address)), None
        )


def addresses(interface: Interface, version: int) -> list[Address]:
    """Return the addresses that an interface has of an IP version."""
    return [one for one in interface.addresses if one.family == version]


def _documents(said: str) -> Iterator[list[dict[str, Any]]]:
    """Yield what each of the commands of _LAYER_TWO printed; one that printed nothing counts as an empty list."""
    decoder, found = json.JSONDecoder(), []
    while said := said.lstrip():
        document, end = decoder.raw_decode(said)
        said = said[end:]
        found.append(document)
    yield from [*found, *([[]] * (3 - len(found)))]
