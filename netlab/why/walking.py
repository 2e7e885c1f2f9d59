"""A packet's way from place to place, as the kernel would send it: each condition in its order, to the socket that takes it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from netlab.kernel.lookup import Way
from netlab.model import Interface, Socket
from netlab.reasons import Finding
from netlab.why.filters import Filters, Tell, without_mark
from netlab.why.kernel import Kernel, addresses
from netlab.why.neighbours import Neighbours
from netlab.why.packet import Packet
from netlab.why.trouble import Failed, Repair, Unsure
from netlab.why.wire import Arrival, Wire

_MOST_HOPS = 30
_ALL = ("0.0.0.0", "::", "*")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a packet arrived, as it is then; `sizes` are the MTUs of the interfaces that it left by."""

    place: str
    packet: Packet
    sizes: tuple[int, ...] = ()


class Walk:
    """Sends packets in thought; `tell` hears of each condition that is fulfilled, Failed is raised at one that is not."""

    def __init__(self, kernel: Kernel, tell: Tell) -> None:
        self._kernel = kernel
        self._tell = tell
        self._filters = Filters(kernel, tell)
        self._neighbours = Neighbours(kernel, self._wire)
        self._hops = 0
        self._asleep: tuple[str, Interface] | None = (
            None  # an interface that is down, and leads to where packets shall go
        )
        self._sizes: list[int] = []
        self._unplugged: Failed | None = None  # a cable on the way that should end at a bridge, and does not

    def _wire(self) -> Wire:
        return Wire(self._kernel, self._filters, self._through_tunnel)

    def _through_tunnel(self, place: str, remote: str, port: int) -> str:
        """Send a tunnel's outer packet; return the place where it arrives."""
        outer = Packet("udp", "", remote, 49152, port, size=150)
        return Walk(self._kernel, lambda *_: None).send(place, outer).place

    def _instead(self, failed: Failed) -> Failed:
        """Return the reason behind a failure: an interface that is down sent it astray, or two machines have one address."""
        if failed.finding.code != "link-down" and self._asleep is not None:
            return self._down(*self._asleep)
        if self._unplugged is not None:
            return self._unplugged
        if self._neighbours.doubtful is None:
            return failed
        address, owners = self._neighbours.doubtful
        facts = {"address": address, "count": len(owners), "owners": ", ".join(owners)}
        return Failed("neighbour", Finding("duplicate-address", failed.finding.place, facts))

    # ── from a place ───────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, place: str, packet: Packet) -> Delivered:
        """Send a packet from a place; its source may be empty, and is then what the route says. Raises Failed, Unsure."""
        try:
            return self._send(place, packet)
        except Failed as failed:
            raise self._instead(failed) from None

    def _send(self, place: str, packet: Packet) -> Delivered:
        self._hops, self._sizes = 0, []
        place = self._kernel.place(place).name
        self._check_strangers(place)
        way = self._route(place, packet)
        packet = replace(packet, source=packet.source or way.source or "")
        leaving = self._kernel.named(place, way.interface)
        self._told_route(place, packet, way, leaving)
        if (first := self._kernel.interface(place, leaving)) is not None:
            self._sizes.append(
                first.mtu
            )  # what the sender says it can take follows from this route (MSS), also before NAT
        sent = self._filters.run(place, "output", packet, "", leaving)
        if sent.destination != packet.destination or sent.mark != packet.mark:
            way = self._route(place, sent)
            leaving = self._kernel.named(place, way.interface)
        if way.kind == "local":
            return self._loop(place, sent)
        return self._out(place, way, sent, "")

    def _notice(self, place: str, destination: str) -> None:
        """Notice an interface whose subnet has the destination, and that is down: packets go another way then."""
        for one in self._kernel.place(place).interfaces:
            near = any(
                ipaddress.ip_address(destination) in ipaddress.ip_interface(str(own)).network
                for own in addresses(one, 6 if ":" in destination else 4)
            )
            if near and not one.up and self._asleep is None:
                self._asleep = place, one

    def _route(self, place: str, packet: Packet) -> Way:
        self._notice(place, packet.destination)
        way = self._kernel.way(place, packet.destination, packet.source, mark=packet.mark)
        if not way.leads_on:
            raise self._no_way(place, packet.destination)
        return way

    def _loop(self, place: str, packet: Packet) -> Delivered:
        """Deliver a packet in the place that it comes from: by lo, whatever the address."""
        loopback = self._kernel.interface(place, "lo")
        if loopback is not None and not loopback.up:
            raise self._down(place, loopback)
        packet = self._filters.run(place, "postrouting", packet, "", "lo")
        packet = self._filters.run(place, "prerouting", packet, "lo", "", again=True)
        packet = self._filters.run(place, "input", packet, "lo")
        return Delivered(place, without_mark(packet), (loopback.mtu if loopback else 65536,))

    def _told_route(self, place: str, packet: Packet, way: Way, leaving: str) -> None:
        via = f" via {way.gateway}" if way.gateway else ""
        self._tell(
            "route",
            place,
            f"{place} has a route to {packet.destination}: by {leaving}" + (f", gateway {way.gateway}" if via else ""),
            f"{place} には {packet.destination} への経路があります: {leaving}"
            + (f"、ゲートウェイ {way.gateway}" if via else ""),
            f"ip route get {packet.destination}",
            f"{way.prefix or packet.destination}{via} dev {leaving}",
        )

    # ── out by an interface ────────────────────────────────────────────────────────────────────────────────────────

    def _out(self, place: str, way: Way, packet: Packet, incoming: str) -> Delivered:
        kernel = self._kernel
        leaving = kernel.named(place, way.interface)
        interface = kernel.interface(place, leaving)
        if interface is None:
            raise self._no_way(place, packet.destination)
        if not interface.up:
            raise self._down(place, interface)
        packet = self._filters.run(place, "postrouting", packet, incoming, leaving)
        if packet.size > interface.mtu and incoming:
            self._told_too_big(place, interface, packet)
        self._sizes.append(interface.mtu)
        packet = replace(packet, size=min(packet.size, interface.mtu))
        hop = way.gateway or packet.destination
        mac, evidence = self._neighbours.find(place, leaving, hop, packet.source)
        self._tell(
            "neighbour",
            place,
            f"{place} finds {hop} on {leaving}",
            f"{place} は {leaving} で {hop} の MAC アドレスを得られます",
            f"ip neigh show {hop} dev {leaving}",
            evidence,
        )
        arrival = self._carried(place, interface, mac, hop, without_mark(packet))
        meant = "" if way.gateway else f"{packet.destination}/{way.prefix.partition('/')[2] or 32}"
        return self._in(arrival, arrival.packet or packet, meant)

    def _told_too_big(self, place: str, interface: Interface, packet: Packet) -> None:
        """Tell of a router that has the sender use smaller packets (path MTU discovery, RFC 1191)."""
        self._tell(
            "size",
            place,
            f"{place} lets {packet.source} know that {interface.name} takes packets of {interface.mtu} bytes only",
            f"{place} は、{interface.name} を通れるのが {interface.mtu} バイトまでであることを {packet.source} に通知します",
            f"ip link show {interface.name}",
            f"{interface.name}: mtu {interface.mtu}",
        )

    def _carried(self, place: str, interface: Interface, mac: str, hop: str, packet: Packet) -> Arrival:
        wire = self._wire()
        arrivals = wire.carry(place, interface.name, mac, packet)
        if not arrivals:
            raise self._lost(place, interface, mac, hop, wire)
        if len({(one.place, one.interface) for one in arrivals}) > 1:
            raise Unsure(
                "frame",
                place,
                f"{len(arrivals)} interfaces have the hardware address {mac}",
                f"MAC アドレス {mac} を持つインターフェースが {len(arrivals)} 個あります",
                "ip link show",
            )
        one = arrivals[0]
        self._tell(
            "frame",
            one.place,
            f"the frame gets from {interface.name} of {place} to {one.interface} of {one.place}",
            f"フレームは {place} の {interface.name} から {one.place} の {one.interface} に届きます",
            "bridge link show; bridge fdb show",
            f"{mac} dev {one.interface}",
        )
        return one

    def _lost(self, place: str, interface: Interface, mac: str, hop: str, wire: Wire) -> Failed:
        if wire.losses:
            return wire.losses[0]
        owner = next((one for _, one in self._kernel.owners(hop)), None)
        if owner is not None and owner.mac != mac:
            facts = {"interface": interface.name, "neighbour": hop, "mac": mac}
            repair = Repair(place, f"ip neigh del {hop} dev {interface.name}")
            return Failed("neighbour", Finding("neighbour-wrong", place, facts), repair)
        return self._neighbours.unanswered(place, interface.name, hop, wire)

    # ── into a place ───────────────────────────────────────────────────────────────────────────────────────────────

    def _in(self, arrival: Arrival, packet: Packet, meant: str) -> Delivered:
        """Take a packet in; `meant` is the address that the sender takes this place to have, or none for a router."""
        place, incoming = arrival.place, arrival.interface
        self._unplugged = self._unplugged or self._neighbours.unplugged(place, incoming)
        self._hops += 1
        if self._hops > _MOST_HOPS:
            raise Failed("route", Finding("time-exceeded", place, {"destination": packet.destination}))
        self._check_strangers(place)
        if not arrival.prerouted:
            packet = self._filters.run(place, "prerouting", packet, incoming)
        self._notice(place, packet.destination)
        way = self._kernel.way(place, packet.destination, packet.source, incoming, packet.mark)
        if way.kind in ("local", "broadcast"):
            packet = self._filters.run(place, "input", packet, incoming)
            return Delivered(place, without_mark(packet), tuple(self._sizes))
        if not way.leads_on or not self._forwards(place, incoming, packet):
            raise self._refused(place, packet, incoming, meant)
        leaving = self._kernel.named(place, way.interface)
        self._tell(
            "forwarding",
            place,
            f"{place} passes packets on, to {packet.destination} by {leaving}",
            f"{place} は転送が有効で、{packet.destination} 宛てを {leaving} から送ります",
            f"sysctl net.ipv4.ip_forward; ip route get {packet.destination}",
            f"net.ipv4.ip_forward = 1; {way.prefix or packet.destination} dev {leaving}",
        )
        packet = self._filters.run(place, "forward", packet, incoming, leaving)
        return self._out(place, way, packet, incoming)

    def _forwards(self, place: str, incoming: str, packet: Packet) -> bool:
        if packet.version == 6:
            return self._kernel.parameter(place, f"net/ipv6/conf/{incoming}/forwarding") == "1"
        return self._kernel.parameter(place, f"net/ipv4/conf/{incoming}/forwarding") == "1"

    def _refused(self, place: str, packet: Packet, incoming: str, meant: str) -> Failed:
        """Return why a place neither takes a packet nor passes it on."""
        kernel, destination = self._kernel, packet.destination
        if (found := self._neighbours.impostor(place, packet.source, incoming)) is not None:
            return found
        address, _, length = meant.partition("/")
        if (
            address == destination
            and not kernel.has(place, destination)
            and not self._forwards(place, incoming, packet)
        ):
            finding = Finding(
                "address-missing", place, {"destination": address, "interface": incoming, "length": length}
            )
            return Failed("interface", finding, Repair(place, f"ip address add {meant} dev {incoming}"))
        if not kernel.has(place, destination) and not self._forwards(place, incoming, packet):
            repair = Repair(place, "sysctl -w net.ipv4.ip_forward=1")
            if kernel.place(place).ip_forward:
                repair = Repair(place, f"sysctl -w net.ipv4.conf.{incoming}.forwarding=1")
            return Failed("forwarding", Finding("not-forwarding", place, {"destination": destination}), repair)
        plain = kernel.way(place, destination, mark=packet.mark)
        if not plain.leads_on:
            return self._no_way(place, destination, answer=packet.answer)
        return self._neighbours.distrusted(place, packet.source, incoming) or self._no_way(place, destination)

    def _no_way(self, place: str, destination: str, *, answer: bool = False) -> Failed:
        """Return why there is no route: one that refuses, an interface that is down, or none at all."""
        state = self._kernel.place(place)
        if (refusing := self._kernel.refusing_route(place, destination)) is not None:
            facts = {"route": refusing.destination, "kind": refusing.kind}
            repair = Repair(place, f"ip route del {refusing.kind} {refusing.destination}")
            mended = [repair] if state.kind != "router" else self._hidden(destination) if answer else []
            return Failed("route", Finding("route-refuses", place, facts), *mended)
        version = 6 if ":" in destination else 4
        others = [one for one in state.interfaces if one.kind != "loopback"]
        if destination.startswith("127.") and (loopback := state.interface("lo")) is not None:
            return self._down(place, loopback)
        if not others:
            return Failed("interface", Finding("no-interface", place, {}))
        for one in others:
            if not one.up and addresses(one, version):
                return self._down(place, one)
        for one in others:
            if one.kind == "veth" and not one.up:
                return self._down(place, one)
        usable = next((one for one in others if addresses(one, version)), None)
        wanted = usable is not None and state.kind != "router"
        gateway = self._neighbours.gateway_of(usable) if wanted and usable is not None else None
        mended = [Repair(place, f"ip route add default via {gateway}")] if gateway else []
        if wanted and usable is not None and not mended:
            mended = self._neighbours.wider(place, usable)
        return Failed("route", Finding("no-route", place, {"destination": destination}), *mended)

    def _hidden(self, address: str) -> list[Repair]:
        """Return the command that hides an address behind its host's own, so that answers find back (masquerade)."""
        for _, one in self._kernel.owners(address):
            there = self._kernel.place(one.peer_place) if one.peer_place else None
            port = there.interface(one.peer_name or "") if there else None
            if there is not None and there.kind == "host" and port is not None and port.master:
                own = next(each for each in one.addresses if each.address == address)
                subnet = ipaddress.ip_interface(str(own)).network
                words = f"POSTROUTING -s {subnet} ! -o {port.master} -j MASQUERADE"
                return [Repair(there.name, f"iptables -t nat -A {words}")]
        return []

    def _down(self, place: str, one: Interface) -> Failed:
        finding = Finding("link-down", place, {"interface": one.name, "owner": place})
        repair = Repair(place, f"ip link set {one.name} up")
        return Failed("interface", finding, repair, *self._neighbours.lost_route(place, one))

    def _check_strangers(self, place: str) -> None:
        """Raise Unsure where rules look at frames themselves: of those, nothing is understood here."""
        for chain in self._kernel.ruleset(place).strangers:
            raise Unsure(
                "rules",
                place,
                f"The chain {chain.name} of the family {chain.family} in {place} is not understood",
                f"{place} の {chain.family} ファミリーのチェーン {chain.name} は解釈できません",
                f"nft --handle list chain {chain.family} {chain.table} {chain.name}",
            )

    # ── a socket ───────────────────────────────────────────────────────────────────────────────────────────────────

    def listener(self, place: str, packet: Packet) -> Socket:
        """Return the socket that a packet is for, at the place where it arrived; raises Failed when there is none."""
        found = self._kernel.listener(place, packet.protocol, packet.destination, packet.destination_port)
        if found is not None:
            return found
        elsewhere = self._kernel.sockets(place, packet.protocol, packet.destination_port)
        facts = {"port": packet.destination_port, "protocol": packet.protocol, "flag": packet.protocol[0]}
        state = self._kernel.place(place)
        repair = [Repair(state.host, f"docker restart {place}")] if state.kind == "container" and state.host else []
        if elsewhere:
            finding = Finding("bound-elsewhere", place, {**facts, "bound": elsewhere[0].address})
        else:
            finding = Finding("port-closed", place, facts)
        raise self._instead(Failed("socket", finding, *repair))
