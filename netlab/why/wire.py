"""Where a frame gets to: over veth pairs, bridges, macvlan and tunnels, to the interfaces that take it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netlab.model import Interface
from netlab.reasons import Finding
from netlab.why.filters import Filters
from netlab.why.kernel import BROADCAST, Kernel
from netlab.why.packet import Packet
from netlab.why.trouble import Failed, Repair, Unsure
from netlab.why.tunnels import Tunnels

_LARGEST_TAG = 4  # bytes that may be added to a frame beyond the MTU (is_skb_forwardable)
_OVERHEAD = 50  # bytes that VXLAN puts around a packet: 14 + 8 + 8 + 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """An interface that takes the frame in; `prerouted` when the rules of `prerouting` have seen it on a bridge already."""

    place: str
    interface: str
    packet: Packet | None
    prerouted: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    mac: str
    packet: Packet | None  # None: an ARP question
    asked: str = ""  # the address that it asks for


class Wire:
    """Carries one frame. `losses` tell, in order, where copies of it got lost; `answers` what tunnels answered themselves."""

    def __init__(self, kernel: Kernel, filters: Filters, underlay: Callable[[str, str, int], str]) -> None:
        """`underlay` sends the outer packet of a tunnel: from a place to an address and port; it returns where that arrives."""
        self._kernel = kernel
        self._filters = filters
        self._tunnels = Tunnels(kernel)
        self._underlay = underlay
        self.losses: list[Failed] = []
        self.answers: list[str] = []  # hardware addresses

    def carry(self, place: str, interface: str, mac: str, packet: Packet | None, asked: str = "") -> list[Arrival]:
        """Return who takes in a frame that leaves a place by an interface. Without a packet, it is an ARP question."""
        self.losses, self.answers = [], []
        found = self._kernel.interface(place, interface)
        return list(self._leave(place, found, _Frame(mac, packet, asked), 0)) if found else []

    # ── out of an interface ────────────────────────────────────────────────────────────────────────────────────────

    def _leave(self, place: str, one: Interface, frame: _Frame, depth: int) -> Iterator[Arrival]:
        if depth > 12:
            return  # bridges in a circle
        if not one.up:
            self._lost_at(place, one)
            return
        if one.kind == "bridge":
            yield from self._bridge(place, one, None, frame, depth)
        elif one.kind == "veth":
            peer = self._kernel.interface(one.peer_place, one.peer_name or "") if one.peer_place else None
            if peer is None or one.peer_place is None:
                self.losses.append(Failed("frame", Finding("lost", place, {"interface": one.name})))
                return
            yield from self._enter(self._kernel.place(one.peer_place).name, peer, frame, depth + 1)
        elif one.kind == "macvlan":
            yield from self._beside(place, one, frame, depth)
        elif one.kind == "vxlan":
            yield from self._tunnel(place, one, frame, depth)
        elif one.kind != "dummy":
            raise Unsure(
                "frame",
                place,
                f"What becomes of frames on {one.name} of {place} is not understood: it is of the kind {one.kind}",
                f"{place} の {one.name} は種類が {one.kind} で、フレームの行き先を判断できません",
                f"ip -d link show {one.name}",
            )

    def _lost_at(self, place: str, one: Interface) -> None:
        finding = Finding("link-down", place, {"interface": one.name, "owner": place})
        self.losses.append(Failed("interface", finding, Repair(place, f"ip link set {one.name} up")))

    def _beside(self, place: str, one: Interface, frame: _Frame, depth: int) -> Iterator[Arrival]:
        """Carry a frame from a macvlan interface: to those beside it, and out by what it stands on."""
        lower = self._kernel.lowers.get((place, one.name))
        below = self._kernel.interface(*lower) if lower else None
        if lower is None or below is None:
            return
        talks = dict(one.details).get("mode", "bridge") == "bridge"
        beside = [key for key, under in self._kernel.lowers.items() if under == lower and key != (place, one.name)]
        known = False
        for where, name in beside if talks else ():
            sibling = self._kernel.interface(where, name)
            if sibling is not None and frame.mac in (sibling.mac, BROADCAST):
                known |= frame.mac != BROADCAST
                yield from self._enter(where, sibling, frame, depth + 1)
        if not known:
            yield from self._leave(lower[0], below, frame, depth + 1)

    # ── into an interface ──────────────────────────────────────────────────────────────────────────────────────────

    def _enter(self, place: str, one: Interface, frame: _Frame, depth: int) -> Iterator[Arrival]:
        if not one.up:
            self._lost_at(place, one)
            return
        if frame.packet is not None and frame.packet.size > one.mtu + _LARGEST_TAG:
            self.losses.append(self._too_big(place, one, frame.packet))
            return
        if one.master:
            bridge = self._kernel.interface(place, one.master)
            if bridge is not None:
                yield from self._bridge(place, bridge, one, frame, depth)
            return
        above = [key for key, under in self._kernel.lowers.items() if under == (place, one.name)]
        for where, name in above:
            upper = self._kernel.interface(where, name)
            if upper is not None and upper.up and frame.mac in (upper.mac, BROADCAST):
                yield Arrival(where, name, frame.packet)
        if frame.mac in (one.mac, BROADCAST):
            yield Arrival(place, one.name, frame.packet)

    def _too_big(self, place: str, one: Interface, packet: Packet) -> Failed:
        facts = {"size": packet.size, "mtu": one.mtu, "interface": one.name}
        peer = self._kernel.interface(one.peer_place, one.peer_name or "") if one.peer_place else None
        size = max(packet.size, peer.mtu if peer is not None else 0)
        return Failed(
            "size", Finding("mtu-black-hole", place, facts), Repair(place, f"ip link set {one.name} mtu {size}")
        )

    # ── bridges ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _bridge(
        self, place: str, bridge: Interface, port: Interface | None, frame: _Frame, depth: int
    ) -> Iterator[Arrival]:  # fmt: skip
        if not bridge.up:
            self._lost_at(place, bridge)
            return
        if port is not None and port.port_state not in ("forwarding", None):
            self._blocked(place, port)
            return
        self._check_vlans(place, bridge)
        packet, prerouted = frame.packet, False
        if packet is not None and port is not None and self._filtered(place, packet):
            before = packet
            try:
                packet = self._filters.run(place, "prerouting", packet, bridge.name)
            except Failed as failed:
                self.losses.append(failed)
                return
            prerouted = True
            if packet.destination != before.destination:  # translated: it is routed now, whatever MAC it was sent to
                yield Arrival(place, bridge.name, packet, prerouted=True)
                return
        ours = frame.mac in (bridge.mac, BROADCAST) or self._is_own(place, bridge.name, frame.mac)
        if ours:
            yield Arrival(place, bridge.name, packet, prerouted)
        if not ours or frame.mac == BROADCAST:
            passed = _Frame(frame.mac, packet, frame.asked)
            yield from self._to_ports(place, bridge, port, passed, depth)

    def _is_own(self, place: str, bridge: str, mac: str) -> bool:
        """Whether a bridge takes in what is sent to a hardware address: it is that of a port, or written down as its own."""
        entries = (one for one in self._kernel.forwarding(place) if one["mac"] == mac and one.get("master") == bridge)
        return any(one.get("state") == "permanent" and "self" not in one.get("flags", ()) for one in entries)

    def _to_ports(
        self, place: str, bridge: Interface, port: Interface | None, frame: _Frame, depth: int
    ) -> Iterator[Arrival]:  # fmt: skip
        ports = [one for one in self._kernel.place(place).interfaces if one.master == bridge.name]
        known = self._known_port(place, bridge.name, frame.mac)
        if known is not None:
            ports = [one for one in ports if one.name == known]
        asked = False
        for one in ports:
            if port is not None and one.name == port.name and not self._kernel.port(place, one.name).get("hairpin"):
                if known is not None:
                    owner = self._kernel.place(one.peer_place).name if one.peer_place else place
                    finding = Finding("hairpin-off", place, {"interface": one.name, "owner": owner})
                    repair = Repair(place, f"bridge link set dev {one.name} hairpin on")
                    self.losses.append(Failed("frame", finding, repair))
                continue
            if not self._may_leave(place, port, one):
                continue
            if frame.packet is not None and frame.packet.size > one.mtu + _LARGEST_TAG:
                self.losses.append(self._too_big(place, one, frame.packet))
                continue
            if frame.packet is not None and port is not None and not asked and self._filtered(place, frame.packet):
                asked = True
                try:
                    packet = self._filters.run(place, "forward", frame.packet, bridge.name, bridge.name)
                    packet = self._filters.run(place, "postrouting", packet, bridge.name, bridge.name)
                except Failed as failed:
                    self.losses.append(failed)
                    return
                frame = _Frame(frame.mac, packet, frame.asked)
            yield from self._leave(place, one, frame, depth + 1)

    def _known_port(self, place: str, bridge: str, mac: str) -> str | None:
        """Return the port behind which a bridge knows a hardware address."""
        for one in self._kernel.forwarding(place):
            if one["mac"] == mac and one.get("master") == bridge and one.get("state") != "permanent":
                return str(one["ifname"])
        return None

    def _may_leave(self, place: str, port: Interface | None, one: Interface) -> bool:
        isolated = port is not None and all(
            self._kernel.port(place, name).get("isolated") for name in (port.name, one.name)
        )
        if not one.up:
            self._lost_at(place, one)
            return False
        if one.port_state not in ("forwarding", None) or isolated:
            self._blocked(place, one)
            return False
        return True

    def _check_vlans(self, place: str, bridge: Interface) -> None:
        """Raise Unsure for a bridge that looks at VLANs: of those, nothing is understood here."""
        if self._kernel.kind_data(place, bridge.name).get("vlan_filtering"):
            raise Unsure(
                "frame",
                place,
                f"The bridge {bridge.name} of {place} looks at VLANs, which are not understood",
                f"{place} のブリッジ {bridge.name} は VLAN を区別しますが、その判断は解釈できません",
                "bridge vlan show",
            )

    def _blocked(self, place: str, port: Interface) -> None:
        """Note a port that lets nothing pass; one without a signal is disabled, and then its other end is what is down."""
        peer = self._kernel.interface(port.peer_place, port.peer_name or "") if port.peer_place else None
        if peer is not None and port.peer_place is not None and not peer.up:
            self._lost_at(self._kernel.place(port.peer_place).name, peer)
            return
        told = self._kernel.port(place, port.name)
        state = "isolated" if port.port_state in ("forwarding", None) else port.port_state or ""
        word = "isolated off" if state == "isolated" else "state 3"
        finding = Finding("port-blocked", place, {"interface": port.name, "bridge": port.master, "state": state})
        others = [one.name for one in self._kernel.place(place).interfaces if one.master == port.master]
        isolated = (
            [one for one in others if self._kernel.port(place, one).get("isolated")]
            if told.get("isolated")
            else [port.name]
        )
        self.losses.append(
            Failed("frame", finding, *(Repair(place, f"bridge link set dev {name} {word}") for name in isolated))
        )

    def _filtered(self, place: str, packet: Packet) -> bool:
        """Whether frames between ports of a bridge come past the rules of iptables (br_netfilter)."""
        key = "net/bridge/bridge-nf-call-ip6tables" if packet.version == 6 else "net/bridge/bridge-nf-call-iptables"
        return self._kernel.parameter(place, key) == "1"

    # ── tunnels ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tunnel(self, place: str, one: Interface, frame: _Frame, depth: int) -> Iterator[Arrival]:
        """Carry a frame inside a UDP packet to where the tunnel's forwarding table says (VXLAN, RFC 7348)."""
        if frame.packet is None and (mac := self._tunnels.answer(place, one, frame.asked)) is not None:
            self.answers.append(mac)
            return
        if frame.packet is not None and frame.packet.size > one.mtu:
            self.losses.append(self._too_big(place, one, frame.packet))
            return
        remotes = self._tunnels.remotes(place, one, frame.mac)
        if not remotes:
            finding = Finding("tunnel-ignorant", place, {"interface": one.name, "mac": frame.mac})
            self.losses.append(Failed("tunnel", finding, *self._tunnels.noting(place, one, frame.mac, frame.asked)))
            return
        outside = self._kernel.home_of_link(place, one.name) or place
        for remote in remotes:
            try:
                there = self._underlay(outside, remote, self._tunnels.port(place, one))
                other, mouth = self._tunnels.mouth(there, place, one)
            except Failed as failed:
                self.losses.append(failed)
                continue
            yield from self._enter(other, mouth, frame, depth + 1)
