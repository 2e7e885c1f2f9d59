"""What the kernel reports beside the packets themselves: interfaces, rules, sockets, as they were when the probe had ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from netlab import observer
from netlab.capture.packet import OTHER_HOST, Packet
from netlab.kernel.lookup import Way, way
from netlab.kernel.netfilter import TraceEvent
from netlab.model import Chain, Interface, PlaceState, Route, Rule, Snapshot, Socket
from netlab.world import World


class Facts:
    """Answers about places, from one snapshot; only routes are asked for one by one."""

    def __init__(
        self,
        world: World,
        snapshot: Snapshot,
        ruled: Iterable[str],
        iptables: Callable[[str], Mapping[tuple[str, str], str]],
    ) -> None:
        """`ruled` are the places whose chains a packet met: containers have some as well."""
        self.world = world
        self.snapshot = snapshot
        self._iptables: dict[str, Mapping[tuple[str, str], str]] = {}
        self._chains: dict[str, tuple[Chain, ...]] = {}
        for place in ruled:
            known = self.place(place)
            self._chains[place] = known.chains if known and known.chains else tuple(observer.chains(world, place))
            if known and known.kind == "host":
                self._iptables[place] = iptables(place)

    def place(self, name: str) -> PlaceState | None:
        """Return all that is reported of a place."""
        return self.snapshot.place(name)

    def interface(self, place: str, name: str) -> Interface | None:
        """Return an interface by its name."""
        state = self.place(place)
        return state.interface(name) if state else None

    def named(self, place: str, index: int | None) -> str:
        """Return the name of an interface by its number."""
        state = self.place(place)
        found = next((one.name for one in state.interfaces if one.index == index), None) if state and index else None
        return found or ("" if index is None else f"#{index}")

    def owner(self, address: str, near: str = "") -> str | None:
        """Return the place that has an address, `near` first when it does."""
        states = sorted(self.snapshot.places, key=lambda state: state.name != near)
        for state in states:
            if any(one.address == address for interface in state.interfaces for one in interface.addresses):
                return state.name
        return None

    def has(self, place: str, address: str) -> bool:
        """Whether a place has an address, or 127.0.0.0/8 is meant, which every place has."""
        state = self.place(place)
        own = [one.address for interface in state.interfaces for one in interface.addresses] if state else []
        return address in own or address.startswith("127.")

    def with_mac(self, mac: str) -> tuple[str, Interface] | None:
        """Return the interface that has a hardware address, and its place; not a bridge, which borrows those of its ports."""
        found = ((state.name, one) for state in self.snapshot.places for one in state.interfaces if one.mac == mac)
        return next((one for one in found if one[1].kind != "bridge"), None)

    def overheard(self, packet: Packet) -> bool:
        """Whether a frame only came by because a bridge did not know where to send it, and was not for anybody here."""
        if packet.kind != OTHER_HOST or packet.outgoing:
            return False
        interface = self.interface(packet.place, packet.interface)
        if interface is None or interface.master is not None or interface.kind == "bridge":
            return False
        owner = self.with_mac(packet.headers.destination_mac)
        return owner is None or owner[1].kind not in ("macvlan", "ipvlan")

    def strict(self, place: str, interface: str) -> bool:
        """Whether packets are dropped whose answers would leave by another interface (rp_filter is 1; RFC 3704)."""
        values = [self._parameter(place, f"net/ipv4/conf/{one}/rp_filter") for one in ("all", interface)]
        return max(values) == "1"

    def hairpin(self, place: str, port: str) -> bool:
        """Whether a bridge sends frames back out of the port that they came in by (hairpin mode, bridge(8))."""
        try:
            root = f"/proc/{self.world.entry(place).pid}/root"  # /sys shows the namespace that it was mounted in
            return self.world.read_file(place, f"{root}/sys/class/net/{port}/brport/hairpin_mode").strip() == "1"
        except OSError:
            return False

    def _parameter(self, place: str, key: str) -> str:
        try:
            return self.world.read_file(place, f"/proc/sys/{key}").strip()
        except OSError:
            return ""

    # ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def chain(self, place: str, event: TraceEvent) -> Chain | None:
        """Return the chain that an event is about."""
        return next(
            (
                one
                for one in self._chains.get(place, ())
                if (one.table, one.name) == (event.table, event.chain) and one.family in (event.family, "inet")
            ),
            None,
        )

    def rule(self, place: str, event: TraceEvent) -> Rule | None:
        """Return the rule that an event is about."""
        chain = self.chain(place, event)
        return next((one for one in chain.rules if one.handle == event.handle), None) if chain else None

    def iptables(self, place: str, rule: Rule) -> str:
        """Return the iptables line that means the same as a rule of the engine, or nothing."""
        return self._iptables.get(place, {}).get((rule.chain, rule.text), "")

    # ── the rest ───────────────────────────────────────────────────────────────────────────────────────────────────

    def forwarding_port(self, place: str, bridge: str, mac: str) -> str | None:
        """Return the port behind which a bridge knows a hardware address."""
        state = self.place(place)
        entries = state.forwarding if state else ()
        return next((one.interface for one in entries if one.mac == mac and one.bridge == bridge), None)

    def sockets(self, place: str, protocol: str, port: int) -> list[Socket]:
        """Return the sockets that listen on a port in a place, whatever their address."""
        state = self.place(place)
        return [one for one in (state.sockets if state else ()) if one.protocol == protocol and one.port == port]

    def listener(self, place: str, protocol: str, address: str, port: int) -> Socket | None:
        """Return the socket that a packet to that address and port is for."""
        return next((one for one in self.sockets(place, protocol, port) if _answers(one.address, address)), None)

    def way(self, place: str, destination: str, source: str | None = None, incoming: int | None = None) -> Way:
        """Return the way that the kernel would choose in a place."""
        return way(self.world.route_socket(place), destination, source=source, incoming=incoming)

    def refusing_route(self, place: str, destination: str) -> Route | None:
        """Return the route to an address that says not to send it on: blackhole, unreachable or prohibit."""
        import ipaddress  # noqa: PLC0415 - only for packets that died here

        state = self.place(place)
        address = ipaddress.ip_address(destination)
        matching = [
            route
            for route in (state.routes if state else ())
            if route.destination != "default" and address in ipaddress.ip_network(route.destination)
        ]
        matching.sort(key=lambda route: ipaddress.ip_network(route.destination).prefixlen)
        return matching[-1] if matching and matching[-1].kind != "unicast" else None


def _answers(listening: str, address: str) -> bool:
    if listening in ("0.0.0.0", "*", "::"):
        return listening != "0.0.0.0" or ":" not in address
    return listening == address
