"""Which hardware address a place sends a packet to: what its neighbour table has, or who would answer when it asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from netlab.model import Interface
from netlab.reasons import Finding
from netlab.why.kernel import BROADCAST, Kernel, addresses
from netlab.why.trouble import Failed, Repair, Unsure
from netlab.why.wire import Arrival, Wire

_USABLE = ("permanent", "reachable", "stale", "delay", "probe", "noarp")


class Neighbours:
    """Finds hardware addresses; `wire` makes a fresh one to carry a frame."""

    def __init__(self, kernel: Kernel, wire: Callable[[], Wire]) -> None:
        self._kernel = kernel
        self._wire = wire
        self.doubtful: tuple[str, list[str]] | None = None  # an address that several machines of one network have

    def find(self, place: str, interface: str, address: str, source: str) -> tuple[str, str]:
        """Return the hardware address behind an address, and where it is known from.

        Raises Failed when nobody answers, Unsure when several would.
        """
        known = next(
            (
                one
                for one in self._kernel.place(place).neighbours
                if (one.interface, one.address) == (interface, address) and one.state in _USABLE and one.mac
            ),
            None,
        )
        if known is not None and known.mac:
            self._check_noted(place, interface, address, known.mac, fixed=known.state == "permanent")
            self._doubt(place, interface, address)
            return known.mac, f"{address} lladdr {known.mac} {known.state.upper()}"
        own = self._kernel.interface(place, interface)
        asking = self._asking(own, source, address)
        wire = self._wire()
        arrivals = wire.carry(place, interface, BROADCAST, None, address)
        answers = list(dict.fromkeys([*wire.answers, *self._answers(arrivals, address, asking, place)]))
        if not answers:
            raise self._distrust(arrivals, address, asking) or self.unanswered(place, interface, address, wire)
        if len(answers) > 1:
            raise Unsure(
                "neighbour",
                place,
                f"{len(answers)} machines have the address {address}; who answers first, gets the packet: {', '.join(answers)}",
                f"{address} を持つマシンが {len(answers)} 台あり、先に応答したほうにパケットが届きます: {', '.join(answers)}",
                f"arping -c 2 -I {interface} {address}",
            )
        return answers[0], f"{address} lladdr {answers[0]}"

    def _doubt(self, place: str, interface: str, address: str) -> None:
        """Note an address that is in the table, and that more than one machine would answer for."""
        owners = [where for where, _ in self._kernel.owners(address)]
        if len(owners) < 2:
            return
        arrivals = self._wire().carry(place, interface, BROADCAST, None, address)
        present = [where for where in owners if any(one.place == where for one in arrivals)]
        if len(present) > 1:
            self.doubtful = address, present

    @staticmethod
    def _asking(own: Interface | None, source: str, address: str) -> str:
        """Return the address that an ARP question comes from: that of the packet if it is one's own, or of the interface."""
        version = 6 if ":" in address else 4
        mine = [one.address for one in (own.addresses if own else ()) if one.family == version]
        return source if source in mine else (mine[0] if mine else "")

    def _answers(self, arrivals: list[Arrival], address: str, asking: str, place: str) -> list[str]:
        """Return the hardware addresses of those that answer: the address is theirs, and they take packets from who asks."""
        found = []
        for one in arrivals:
            state = self._kernel.place(one.place)
            interface = state.interface(one.interface)
            if interface is None or state.inode == self._kernel.place(place).inode:
                continue
            if self._kernel.has(one.place, address) and (
                ":" in address
                or not asking
                or self._kernel.way(one.place, address, asking, one.interface).kind == "local"
            ):
                found.append(interface.mac)
        return found

    def _check_noted(self, place: str, interface: str, address: str, mac: str, *, fixed: bool) -> None:
        """Raise Failed when the table has an entry made by hand that leads to nobody who has the address."""
        owners = [one for _, one in self._kernel.owners(address)]
        if not fixed or not owners or any(one.mac == mac for one in owners):
            return
        finding = Finding("neighbour-wrong", place, {"interface": interface, "neighbour": address, "mac": mac})
        raise Failed("neighbour", finding, Repair(place, f"ip neigh del {address} dev {interface}"))

    def _distrust(self, arrivals: list[Arrival], address: str, asking: str) -> Failed | None:
        """Return why a machine that has the address and hears the question does not answer: it mistrusts who asks."""
        for one in arrivals:
            if asking and ":" not in address and self._kernel.has(one.place, address):
                return self.impostor(one.place, asking, one.interface) or self.distrusted(
                    one.place, asking, one.interface
                )
        return None

    def impostor(self, place: str, source: str, incoming: str) -> Failed | None:
        """Return the reason why a place drops what has its own address as its source, if it has that address."""
        for one in self._kernel.place(place).interfaces:
            for own in one.addresses:
                if own.address == source:
                    repair = Repair(place, f"ip address delete {own} dev {one.name}")
                    finding = Finding("own-source", place, {"source": source, "interface": incoming})
                    return Failed("reverse path", finding, repair)
        return None

    def distrusted(self, place: str, source: str, incoming: str) -> Failed | None:
        """Return the check of where packets come from (rp_filter) as a reason, where it is made."""
        kernel = self._kernel
        values = [kernel.parameter(place, f"net/ipv4/conf/{one}/rp_filter") for one in ("all", incoming)]
        if max(values) not in ("1", "2"):
            return None
        all_of_them = " net.ipv4.conf.all.rp_filter=0" if values[0] != "0" else ""
        repair = Repair(place, f"sysctl -w net.ipv4.conf.{incoming}.rp_filter=0{all_of_them}")
        back = kernel.way(place, source)
        if back.gateway and back.prefix not in ("", "default"):  # a route by hand that leads elsewhere
            repair = Repair(place, f"ip route del {back.prefix} via {back.gateway}")
        return Failed("reverse path", Finding("reverse-path", place, {"source": source, "interface": incoming}), repair)

    # ── nobody answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def unanswered(self, place: str, interface: str, address: str, wire: Wire) -> Failed:
        """Return why nobody answers: what is wrong with the interfaces at both ends, or simply that there is nobody."""
        for where, one in [(place, self._kernel.interface(place, interface)), *self._kernel.owners(address)]:
            if one is not None and (found := self._broken(self._kernel.place(where).name, one)) is not None:
                return found
        if len(wire.losses) == 1:
            return wire.losses[0]
        facts = {"interface": interface, "neighbour": address}
        return Failed(
            "neighbour", Finding("arp-unanswered", place, facts), *self._other_gateway(place, interface, address)
        )

    def _broken(self, place: str, one: Interface) -> Failed | None:
        """Return what is wrong with an interface, or with the end of the cable that goes to a bridge."""
        if not one.up:
            return self._down(place, one)
        if one.kind != "veth" or not one.peer_place or not one.peer_name:
            return None
        there = self._kernel.place(one.peer_place).name
        peer = self._kernel.interface(there, one.peer_name)
        if peer is None:
            return None
        if not peer.up:
            return self._down(there, peer)
        if peer.master is None and not addresses(peer, 4) and not one.master:
            bridge = self._bridge_for(there, one)
            repair = [Repair(there, f"ip link set {peer.name} master {bridge}")] if bridge else []
            return Failed("frame", Finding("not-attached", there, {"interface": peer.name, "owner": place}), *repair)
        bridge_of = self._kernel.interface(there, peer.master) if peer.master else None
        if bridge_of is not None and not bridge_of.up:
            return self._down(there, bridge_of)
        return None

    def unplugged(self, place: str, interface: str) -> Failed | None:
        """Return the reason not-attached for the end of a cable whose other end is in the subnet of a bridge here.

        The place answers ARP at that end all the same (for all of its addresses), and drops or misroutes what follows.
        """
        one = self._kernel.interface(place, interface)
        if one is None or one.master or one.kind != "veth" or not one.peer_place or not one.peer_name:
            return None
        there = self._kernel.place(one.peer_place).name
        peer = self._kernel.interface(there, one.peer_name)
        if peer is None or self._bridge_for(place, peer) is None:
            return None
        found = self._broken(there, peer)
        return found if found is not None and found.finding.code == "not-attached" else None

    def _bridge_for(self, place: str, one: Interface) -> str | None:
        """Return the bridge of a place that has an address in the subnet of an interface."""
        subnets = [ipaddress.ip_interface(str(a)).network for a in addresses(one, 4)]
        for bridge in self._kernel.place(place).interfaces:
            if bridge.kind == "bridge" and any(
                ipaddress.ip_address(a.address) in subnet for a in addresses(bridge, 4) for subnet in subnets
            ):
                return bridge.name
        return None

    def _down(self, place: str, one: Interface) -> Failed:
        finding = Finding("link-down", place, {"interface": one.name, "owner": place})
        return Failed("interface", finding, Repair(place, f"ip link set {one.name} up"), *self.lost_route(place, one))

    def lost_route(self, place: str, one: Interface) -> list[Repair]:
        """Return the command for the default route, which goes when its interface is switched off and does not come back."""
        state = self._kernel.place(place)
        if one.kind == "loopback" or one.master or any(route.destination == "default" for route in state.routes):
            return []
        gateway = self.gateway_of(one)
        return [Repair(place, f"ip route replace default via {gateway}")] if gateway else []

    def gateway_of(self, one: Interface) -> str | None:
        """Return the address of a machine in the subnet of an interface that passes packets on: whom to send by."""
        for own in addresses(one, 4):
            subnet = ipaddress.ip_interface(str(own)).network
            for state in self._kernel.snapshot.places:
                if not state.ip_forward and state.kind not in ("host", "router"):
                    continue
                for other in state.interfaces:
                    for address in addresses(other, 4):
                        if ipaddress.ip_address(address.address) in subnet and address.address != own.address:
                            return address.address
        return None

    def wider(self, place: str, one: Interface) -> list[Repair]:
        """Return the commands for an interface whose prefix is too long to have a gateway: that of the other end's bridge."""
        there = self._kernel.place(one.peer_place) if one.peer_place else None
        for own in addresses(one, 4):
            for other in (
                address for bridge in (there.interfaces if there else ()) for address in addresses(bridge, 4)
            ):
                subnet = ipaddress.ip_interface(str(other)).network
                if ipaddress.ip_address(own.address) in subnet and own.address != other.address:
                    return [
                        Repair(place, f"ip address add {own.address}/{subnet.prefixlen} dev {one.name}"),
                        Repair(place, f"ip route add default via {other.address}"),
                    ]
        return []

    def _other_gateway(self, place: str, interface: str, address: str) -> list[Repair]:
        """Return the command for a default route whose gateway is nobody's address, or one of another subnet."""
        state = self._kernel.place(place)
        one = state.interface(interface)
        routes = [route for route in state.routes if route.gateway == address and route.destination == "default"]
        gateway = self.gateway_of(one) if one is not None and routes else None
        if gateway is None or gateway == address:
            return []
        return [Repair(place, f"ip route replace default via {gateway}")]
