"""What can be asked of the kernel: a closed vocabulary of small frozen operations.

An operation is a value. It knows the exact command that it stands for (`command`) and the operation that takes it back
(`inverse`). One list of operations drives applying, rolling back, exporting and showing "what just happened".

`place` is always the name of a network namespace as `ip netns` knows it on the lab's host; the host itself is a place
like the others. A command is written as it is typed on `where`, by default the lab's first host.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import ClassVar

HOST = "host"


def namespace_name(place: str) -> str:
    """Return what `ip netns` calls a place: two hosts may each have a namespace of one name, and the second host's place
    is NAME@HOST.
    """
    return place.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change to the kernel, in one place."""

    place: str

    tool: ClassVar[str] = "ip"

    def words(self) -> str:
        """Return the command without its tool's name, as typed in the place itself."""
        raise NotImplementedError

    def command(self, where: str = HOST) -> str:
        """Return the exact command, as typed on `where`."""
        if self.place == where:
            return f"{self.tool} {self.words()}"
        if self.tool in ("ip", "bridge"):
            # The typist's own namespace has no name: it is that of the shell, whose process is $$.
            words = self.words().removesuffix(target := f" netns {quote(where)}")
            own = " netns $$" if self.words().endswith(target) else ""
            return f"{self.tool} -n {quote(namespace_name(self.place))} {words}{own}"
        return f"ip netns exec {quote(namespace_name(self.place))} {self.tool} {self.words()}"

    def inverse(self) -> Operation | None:
        """Return the operation that takes this one back, or None when nothing needs to be done for that."""
        return None


@dataclass(frozen=True, slots=True)
class AddNamespace(Operation):
    """Make a network namespace with a name.

    Equivalent to: `ip netns add NAME` (ip-netns(8)).
    """

    name: str

    def words(self) -> str:
        return f"netns add {quote(self.name)}"

    def inverse(self) -> Operation:
        return DeleteNamespace(self.place, self.name)


@dataclass(frozen=True, slots=True)
class DeleteNamespace(Operation):
    """Take away the name of a network namespace; the namespace goes with its last user.

    Equivalent to: `ip netns delete NAME`.
    """

    name: str

    def words(self) -> str:
        return f"netns delete {quote(self.name)}"


@dataclass(frozen=True, slots=True)
class AddVeth(Operation):
    """Make a veth pair: `name` here and `peer` in `peer_place` (here too when that is None).

    Equivalent to: `ip link add NAME type veth peer name PEER netns PEER_PLACE` (veth(4)). `index` and `peer_index` fix
    the interface numbers, which the kernel chooses when they are 0. `queues` is the number of queues each way; left at 0,
    a veth is born with one for each processor and cut down to one, for which the kernel waits with all links locked.
    """

    name: str
    peer: str
    peer_place: str | None = None
    index: int = 0
    peer_index: int = 0
    mac: str | None = None
    peer_mac: str | None = None
    mtu: int = 0
    master: str | None = None
    up: bool = False
    queues: int = 0

    def words(self) -> str:
        words = ["link add name", quote(self.name)]
        queues = [f"numtxqueues {self.queues} numrxqueues {self.queues}"] if self.queues else []
        if self.index:
            words.append(f"index {self.index}")
        if self.mac:
            words.append(f"address {self.mac}")
        if self.mtu:
            words.append(f"mtu {self.mtu}")
        if self.master:
            words.append(f"master {quote(self.master)}")
        if self.up:
            words.append("up")
        words += [*queues, f"type veth peer name {quote(self.peer)}"]
        if self.peer_index:
            words.append(f"index {self.peer_index}")
        if self.peer_mac:
            words.append(f"address {self.peer_mac}")
        if self.mtu:
            words.append(f"mtu {self.mtu}")
        words += queues
        if self.peer_place and self.peer_place != self.place:
            words.append(f"netns {quote(namespace_name(self.peer_place))}")
        return " ".join(words)

    def inverse(self) -> Operation:
        return DeleteLink(self.place, self.name)


@dataclass(frozen=True, slots=True)
class AddBridge(Operation):
    """Make a bridge, a switch in software.

    Equivalent to: `ip link add NAME type bridge` (ip-link(8), bridge(8)).
    """

    name: str
    index: int = 0
    mac: str | None = None
    up: bool = False

    def words(self) -> str:
        index = f" index {self.index}" if self.index else ""
        mac = f" address {self.mac}" if self.mac else ""
        return f"link add name {quote(self.name)}{index}{mac}{' up' if self.up else ''} type bridge"

    def inverse(self) -> Operation:
        return DeleteLink(self.place, self.name)


@dataclass(frozen=True, slots=True)
class AddMacvlan(Operation):
    """Make one more interface on the network that `parent` is on, with a hardware address of its own, in `target`.

    Equivalent to: `ip link add link PARENT name NAME netns TARGET type macvlan mode MODE` (ip-link(8)).
    """

    name: str
    parent: str
    target: str
    index: int = 0
    mac: str | None = None
    mode: str = "bridge"

    def words(self) -> str:
        index = f" index {self.index}" if self.index else ""
        mac = f" address {self.mac}" if self.mac else ""
        netns = f" netns {quote(self.target)}" if self.target != self.place else ""
        ends = f"{index}{mac}{netns} type macvlan mode {self.mode}"
        return f"link add link {quote(self.parent)} name {quote(self.name)}{ends}"

    def inverse(self) -> Operation:
        return DeleteLink(self.target, self.name)


@dataclass(frozen=True, slots=True)
class AddVxlan(Operation):
    """Make the mouth of a tunnel in `target`, whose packets travel in UDP packets of this place (RFC 7348).

    Equivalent to: `ip link add name NAME mtu MTU netns TARGET type vxlan id NUMBER dstport PORT proxy l2miss l3miss`
    (ip-link(8)). `proxy` has it answer ARP from its neighbour table, instead of calling out through the tunnel.
    """

    name: str
    target: str
    number: int
    port: int
    mtu: int = 0
    proxy: bool = True

    def words(self) -> str:
        mtu = f" mtu {self.mtu}" if self.mtu else ""
        netns = f" netns {quote(namespace_name(self.target))}" if self.target != self.place else ""
        proxy = " proxy l2miss l3miss" if self.proxy else ""
        return f"link add name {quote(self.name)}{mtu}{netns} type vxlan id {self.number} dstport {self.port}{proxy}"

    def inverse(self) -> Operation:
        return DeleteLink(self.target, self.name)


@dataclass(frozen=True, slots=True)
class AddForwarding(Operation):
    """Note for good that a hardware address is behind a tunnel's end.

    Equivalent to: `bridge fdb add MAC dev NAME dst DESTINATION self permanent` (bridge(8)).
    """

    name: str
    mac: str
    destination: str

    tool: ClassVar[str] = "bridge"

    def words(self) -> str:
        return f"fdb add {self.mac} dev {quote(self.name)} dst {self.destination} self permanent"

    def inverse(self) -> Operation:
        return DeleteForwarding(self.place, self.name, self.mac, self.destination)


@dataclass(frozen=True, slots=True)
class DeleteForwarding(Operation):
    """Forget that a hardware address is behind a tunnel's end.

    Equivalent to: `bridge fdb delete MAC dev NAME dst DESTINATION self`.
    """

    name: str
    mac: str
    destination: str

    tool: ClassVar[str] = "bridge"

    def words(self) -> str:
        return f"fdb delete {self.mac} dev {quote(self.name)} dst {self.destination} self"

    def inverse(self) -> Operation:
        return AddForwarding(self.place, self.name, self.mac, self.destination)


@dataclass(frozen=True, slots=True)
class AddNeighbour(Operation):
    """Note for good which hardware address an IP address has.

    Equivalent to: `ip neigh add ADDRESS lladdr MAC dev NAME nud permanent` (ip-neighbour(8)).
    """

    name: str
    address: str
    mac: str

    def words(self) -> str:
        return f"neigh add {self.address} lladdr {self.mac} dev {quote(self.name)} nud permanent"

    def inverse(self) -> Operation:
        return DeleteNeighbour(self.place, self.name, self.address, self.mac)


@dataclass(frozen=True, slots=True)
class DeleteNeighbour(Operation):
    """Forget which hardware address an IP address has.

    Equivalent to: `ip neigh delete ADDRESS dev NAME`.
    """

    name: str
    address: str
    mac: str

    def words(self) -> str:
        return f"neigh delete {self.address} dev {quote(self.name)}"

    def inverse(self) -> Operation:
        return AddNeighbour(self.place, self.name, self.address, self.mac)


@dataclass(frozen=True, slots=True)
class DeleteLink(Operation):
    """Delete an interface; the other end of a veth pair goes with it.

    Equivalent to: `ip link delete NAME`.
    """

    name: str

    def words(self) -> str:
        return f"link delete {quote(self.name)}"


@dataclass(frozen=True, slots=True)
class SetUp(Operation):
    """Switch an interface on.

    Equivalent to: `ip link set NAME up`.
    """

    name: str

    def words(self) -> str:
        return f"link set {quote(self.name)} up"

    def inverse(self) -> Operation:
        return SetDown(self.place, self.name)


@dataclass(frozen=True, slots=True)
class SetDown(Operation):
    """Switch an interface off.

    Equivalent to: `ip link set NAME down`.
    """

    name: str

    def words(self) -> str:
        return f"link set {quote(self.name)} down"

    def inverse(self) -> Operation:
        return SetUp(self.place, self.name)


@dataclass(frozen=True, slots=True)
class SetMaster(Operation):
    """Plug an interface into a bridge, or pull it out when `master` is None.

    Equivalent to: `ip link set NAME master BRIDGE` and `ip link set NAME nomaster`.
    """

    name: str
    master: str | None

    def words(self) -> str:
        return f"link set {quote(self.name)} " + (f"master {quote(self.master)}" if self.master else "nomaster")

    def inverse(self) -> Operation | None:
        return SetMaster(self.place, self.name, None) if self.master else None


@dataclass(frozen=True, slots=True)
class MoveLink(Operation):
    """Move an interface into another namespace. It arrives switched off and without addresses.

    Equivalent to: `ip link set NAME netns TARGET`.
    """

    name: str
    target: str

    def words(self) -> str:
        return f"link set {quote(self.name)} netns {quote(self.target)}"

    def inverse(self) -> Operation:
        return MoveLink(self.target, self.name, self.place)


@dataclass(frozen=True, slots=True)
class RenameLink(Operation):
    """Give an interface another name.

    Equivalent to: `ip link set NAME name NEW`.
    """

    name: str
    new: str

    def words(self) -> str:
        return f"link set {quote(self.name)} name {quote(self.new)}"

    def inverse(self) -> Operation:
        return RenameLink(self.place, self.new, self.name)


@dataclass(frozen=True, slots=True)
class SetMtu(Operation):
    """Set the largest packet, in bytes, that an interface takes.

    Equivalent to: `ip link set NAME mtu MTU`.
    """

    name: str
    mtu: int

    def words(self) -> str:
        return f"link set {quote(self.name)} mtu {self.mtu}"


@dataclass(frozen=True, slots=True)
class SetMac(Operation):
    """Set an interface's hardware address.

    Equivalent to: `ip link set NAME address MAC`.
    """

    name: str
    mac: str

    def words(self) -> str:
        return f"link set {quote(self.name)} address {self.mac}"


@dataclass(frozen=True, slots=True)
class AddAddress(Operation):
    """Give an interface an address; `address` is written 172.17.0.2/16.

    Equivalent to: `ip address add ADDRESS dev NAME` (ip-address(8)), with the subnet's broadcast address for IPv4. With
    `nodad` an IPv6 address is used at once, without a second's probing whether somebody else has it.
    """

    name: str
    address: str
    nodad: bool = False

    def words(self) -> str:
        broadcast = "" if ":" in self.address else "broadcast + "
        return f"address add {self.address} {broadcast}{'nodad ' if self.nodad else ''}dev {quote(self.name)}"

    def inverse(self) -> Operation:
        return DeleteAddress(self.place, self.name, self.address)


@dataclass(frozen=True, slots=True)
class DeleteAddress(Operation):
    """Take an address from an interface.

    Equivalent to: `ip address delete ADDRESS dev NAME`.
    """

    name: str
    address: str

    def words(self) -> str:
        return f"address delete {self.address} dev {quote(self.name)}"

    def inverse(self) -> Operation:
        return AddAddress(self.place, self.name, self.address)


@dataclass(frozen=True, slots=True)
class AddRoute(Operation):
    """Add a route; `destination` is "default" or a subnet, `kind` is unicast, blackhole, unreachable or prohibit.

    Equivalent to: `ip route add DESTINATION via GATEWAY dev NAME` (ip-route(8)).
    """

    destination: str
    gateway: str | None = None
    name: str | None = None
    kind: str = "unicast"

    verb: ClassVar[str] = "add"

    def words(self) -> str:
        kind = "" if self.kind == "unicast" else f"{self.kind} "
        via = f" via {self.gateway}" if self.gateway else ""
        device = f" dev {quote(self.name)}" if self.name else ""
        return f"route {self.verb} {kind}{self.destination}{via}{device}"

    def inverse(self) -> Operation:
        return DeleteRoute(self.place, self.destination, self.gateway, self.name, self.kind)


@dataclass(frozen=True, slots=True)
class DeleteRoute(AddRoute):
    """Take a route away.

    Equivalent to: `ip route delete DESTINATION via GATEWAY dev NAME`.
    """

    verb: ClassVar[str] = "delete"

    def inverse(self) -> Operation:
        return AddRoute(self.place, self.destination, self.gateway, self.name, self.kind)


@dataclass(frozen=True, slots=True)
class SetSysctl(Operation):
    """Set a network parameter of the namespace, such as net.ipv4.ip_forward.

    Equivalent to: `sysctl -w KEY=VALUE` (sysctl(8)). `before` is the value to go back to.
    """

    key: str
    value: str
    before: str | None = None

    tool: ClassVar[str] = "sysctl"

    def words(self) -> str:
        return f"-w {self.key}={quote(self.value)}"

    def inverse(self) -> Operation | None:
        return None if self.before is None else SetSysctl(self.place, self.key, self.before, self.value)


@dataclass(frozen=True, slots=True)
class NftRules(Operation):
    """Change the nftables rules by a script in nft's own language; `undo` is the script that takes it back.

    Equivalent to: `nft -f -` with the script on standard input (nft(8)). A script is applied whole or not at all.
    """

    script: str
    undo: str | None = None

    tool: ClassVar[str] = "nft"

    def words(self) -> str:
        lines = self.script.strip().splitlines()
        if len(lines) == 1:
            return quote(lines[0].strip())
        return "-f - <<'EOF'\n" + "\n".join(lines) + "\nEOF"

    def inverse(self) -> Operation | None:
        return None if self.undo is None else NftRules(self.place, self.undo, self.script)


@dataclass(frozen=True, slots=True)
class Ip(Operation):
    """Any other command of ip(8), for what a student may have made by hand; netlab does not take it back.

    Equivalent to: `ip LINE`.
    """

    line: str

    def words(self) -> str:
        return self.line


@dataclass(frozen=True, slots=True)
class Bridge(Ip):
    """Any command of bridge(8).

    Equivalent to: `bridge LINE`.
    """

    tool: ClassVar[str] = "bridge"


@dataclass(frozen=True, slots=True)
class IptablesRules(Operation):
    """Load rules that iptables has written; its tables cannot be read back from what nft lists of them.

    Equivalent to: `iptables-restore` (ip6tables-restore for IPv6) with the rules on standard input.
    """

    script: str
    family: str = "ip"

    def words(self) -> str:
        return f"<<'EOF'\n{self.script.strip()}\nEOF"

    def command(self, where: str = HOST) -> str:
        program = "iptables-restore" if self.family == "ip" else "ip6tables-restore"
        inside = "" if self.place == where else f"ip netns exec {quote(self.place)} "
        return f"{inside}{program} {self.words()}"
