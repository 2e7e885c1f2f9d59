"""Interfaces as the commands that make them again, from what `ip -j -d address` reports of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Any

from netlab import ops
from netlab.script.configuration import Configuration

End = tuple[str, str]  # the place of an interface, and its name
Link = dict[str, Any]

_USUAL_MTU = {"vxlan": 0, "macvlan": 0, "ipvlan": 0}  # theirs depends on what they stand on
# Options of a bridge and of a bridge's port: how ip reports them, how it takes them, and what they are at first.
_BRIDGE_OPTIONS: tuple[tuple[str, str, object], ...] = (
    ("forward_delay", "forward_delay", 1500),
    ("hello_time", "hello_time", 200),
    ("max_age", "max_age", 2000),
    ("ageing_time", "ageing_time", 30000),
    ("stp_state", "stp_state", 0),
    ("priority", "priority", 32768),
    ("vlan_filtering", "vlan_filtering", 0),
    ("group_fwd_mask", "group_fwd_mask", "0"),
    ("mcast_snooping", "mcast_snooping", 1),
    ("nf_call_iptables", "nf_call_iptables", 0),
    ("nf_call_ip6tables", "nf_call_ip6tables", 0),
)
_PORT_OPTIONS: tuple[tuple[str, str, object], ...] = (
    ("priority", "priority", 32),
    ("cost", "cost", 2),
    ("hairpin", "hairpin", False),
    ("guard", "guard", False),
    ("root_block", "root_block", False),
    ("learning", "learning", True),
    ("flood", "flood", True),
    ("mcast_flood", "mcast_flood", True),
    ("bcast_flood", "bcast_flood", True),
    ("proxy_arp", "proxy_arp", False),
    ("neigh_suppress", "neigh_suppress", False),
    ("isolated", "isolated", False),
)


class Links:
    """The interfaces of all places, and which of them have been made."""

    def __init__(self, places: Mapping[str, Configuration]) -> None:
        self._places = places
        self._made: set[End] = {(name, "lo") for name in places}
        self.left_out: dict[End, str] = {}  # interfaces that no command here makes, and their kinds

    def names(self, place: str) -> list[str]:
        """Return the interfaces of a place in the order of their numbers, bridges first: others are plugged into them."""
        links = sorted(self._places[place].links, key=lambda one: (kind_of(one) != "bridge", one["ifindex"]))
        return [one["ifname"] for one in links]

    def is_made(self, end: End) -> bool:
        """Whether an interface has been made, or need not be."""
        return end in self._made

    def other(self, end: End) -> End | None:
        """Return the interface that one is joined to or stands on, if a place of the lab has it."""
        here = self._places[end[0]]
        link = here.link(end[1])
        there = here.others.get(int(link["link_netnsid"])) if "link_netnsid" in link else end[0]
        if kind_of(link) == "vxlan":  # what ip reports as its link is itself
            return self._underlay(end, there)
        if "link" in link:
            return end[0], str(link["link"])
        return self._numbered(there, link.get("link_index"))

    def _underlay(self, end: End, there: str | None) -> End | None:
        """Return what a VXLAN interface sends through; ip looks its number up where the interface is, not where it was made."""
        name = self._link(end)["linkinfo"].get("info_data", {}).get("link")
        if name is None:
            return None
        if there == end[0]:
            return there, str(name)
        numbers = {str(one["ifname"]): int(one["ifindex"]) for one in self._places[end[0]].links}
        return self._numbered(there, numbers.get(name) or int(str(name).removeprefix("if")))

    def _numbered(self, place: str | None, index: int | None) -> End | None:
        links = self._places[place].links if place is not None else ()
        names = [str(one["ifname"]) for one in links if one["ifindex"] == index]
        return (str(place), names[0]) if names else None

    def make(self, end: End) -> list[ops.Operation]:
        """Return what makes an interface, its other end too, and configures both; nothing when they are there."""
        if end in self._made:
            return []
        self._made.add(end)
        here = self._places[end[0]]
        kind = kind_of(here.link(end[1]))
        if kind == "veth":
            return self._veth(end)
        under = self.other(end)
        bridge = here.link(end[1]).get("master")
        first = [] if under is None else self.make(under)
        first += [] if bridge is None else self.make((end[0], str(bridge)))
        if kind == "bridge":
            return [*first, *self._bridge(end)]
        made = None if under in self.left_out else self._stacked(end, kind, under)
        if made is None:
            self.left_out[end] = kind
            return first
        return [*first, made, *self.configure(end)]

    # ── one kind each ──────────────────────────────────────────────────────────────────────────────────────────────

    def _mac(self, end: End) -> str | None:
        here = self._places[end[0]]
        return str(here.link(end[1])["address"]) if end[1] in here.chosen_macs else None

    def _bridge(self, end: End) -> list[ops.Operation]:
        place, name = end
        link = self._places[place].link(name)
        make = ops.AddBridge(place, name, link["ifindex"], self._mac(end), up=_is_up(link))
        return [make, *self.configure(end, up=False)]

    def _veth(self, end: End) -> list[ops.Operation]:
        """Make a veth pair, from the end that is plugged into something."""
        other = self.other(end)
        if other is None:
            self.left_out[end] = "veth"
            return []
        self._made.add(other)
        near, far = (other, end) if "master" in self._link(other) and "master" not in self._link(end) else (end, other)
        one, peer = self._link(near), self._link(far)
        bridges = [(at[0], str(link["master"])) for at, link in ((near, one), (far, peer)) if "master" in link]
        first = [operation for bridge in bridges for operation in self.make(bridge)]
        same_mtu = one["mtu"] == peer["mtu"]
        single = one.get("num_tx_queues") == 1 == peer.get("num_tx_queues")
        make = ops.AddVeth(
            *near,
            far[1],
            far[0],
            index=one["ifindex"],
            peer_index=peer["ifindex"],
            mac=self._mac(near),
            peer_mac=self._mac(far),
            mtu=one["mtu"] if same_mtu and one["mtu"] != 1500 else 0,
            master=one.get("master"),
            up=_is_up(one),
            queues=1 if single else 0,
        )
        near_rest = self.configure(near, mtu=not same_mtu, master=False, up=False)
        return [*first, make, *near_rest, *self.configure(far, mtu=not same_mtu)]

    def _link(self, end: End) -> Link:
        return self._places[end[0]].link(end[1])

    def _stacked(self, end: End, kind: str, under: End | None) -> ops.Operation | None:
        """Return what makes an interface that stands on another one, or alone; None for a kind that nobody expects."""
        place, name = end
        link, data = self._link(end), self._link(end).get("linkinfo", {}).get("info_data", {})
        if kind == "macvlan" and under is not None:
            return ops.AddMacvlan(
                under[0], name, under[1], place, link["ifindex"], str(link["address"]), data.get("mode", "bridge")
            )
        options = _options(kind, data, under)
        if options is None:
            return None
        birthplace = under[0] if under else self._birthplace(end)
        words = ["link add", f"link {quote(under[1])}" if under and kind != "vxlan" else "", f"name {quote(name)}"]
        words.append(f"index {link['ifindex']}")
        mac = self._mac(end)
        words += [
            f"address {mac}" if mac else "",
            f"netns {quote(ops.namespace_name(place))}" if birthplace != place else "",
        ]
        return ops.Ip(birthplace, " ".join(word for word in [*words, f"type {kind}", *options] if word))

    def _birthplace(self, end: End) -> str:
        """Return the place whose network a tunnel uses: where it was made, which it remembers when it is moved."""
        link = self._link(end)
        return self._places[end[0]].others.get(int(link.get("link_netnsid", -1)), end[0])

    # ── what is set afterwards ─────────────────────────────────────────────────────────────────────────────────────

    def configure(self, end: End, *, mtu: bool = True, master: bool = True, up: bool = True) -> list[ops.Operation]:
        """Return what gives an interface its size, bridge, options, state and addresses."""
        place, name = end
        link, kind = self._link(end), kind_of(self._link(end))
        done: list[ops.Operation] = []
        usual = 65536 if name == "lo" else _USUAL_MTU.get(kind, 1500)
        if mtu and link["mtu"] != usual:
            done.append(ops.SetMtu(place, name, link["mtu"]))
        if kind == "bridge":
            done += _set(place, name, "bridge", link["linkinfo"].get("info_data", {}), _BRIDGE_OPTIONS)
        if "master" in link and master and (place, str(link["master"])) not in self.left_out:
            done.append(ops.SetMaster(place, name, str(link["master"])))
        port = link.get("linkinfo", {})
        if port.get("info_slave_kind") == "bridge":
            done += _set(place, name, "bridge_slave", port.get("info_slave_data", {}), _PORT_OPTIONS)
        done += [ops.Ip(place, f"link set {quote(name)} {word}") for word in _switches(link)]
        if up and _is_up(link):
            done.append(ops.SetUp(place, name))
        elif was_up(link):
            done += [ops.SetUp(place, name), ops.SetDown(place, name)]
        return done


def kind_of(link: Link) -> str:
    """Return an interface's kind as ip names it; loopback and cards of a machine have none."""
    return str(link.get("linkinfo", {}).get("info_kind", "loopback" if link.get("link_type") == "loopback" else ""))


def was_up(link: Link) -> bool:
    """Whether lo is off and has been on: it keeps an address and a route of that time."""
    has = any(one["local"] == "127.0.0.1" for one in link.get("addr_info", []))
    return kind_of(link) == "loopback" and not _is_up(link) and has


def _is_up(link: Link) -> bool:
    return "UP" in link["flags"]


def _options(kind: str, data: Mapping[str, Any], under: End | None) -> list[str] | None:
    if kind == "dummy":
        return []
    if kind == "vlan":
        return [f"id {data['id']}"] if under else None
    if kind == "ipvlan":
        return [f"mode {data.get('mode', 'l3')}"] if under else None
    if kind == "vxlan" and (under or "link" not in data):
        device = [f"dev {quote(under[1])}"] if under else []
        ends = [
            f"{key} {data[key]}" for key in ("remote", "remote6", "group", "group6", "local", "local6") if key in data
        ]
        ends = [word.replace("6 ", " ") if word.split()[0].endswith("6") else word for word in ends]
        learning = [] if data.get("learning", True) else ["nolearning"]
        more = [word for key, word in (("proxy", "proxy"), ("l2miss", "l2miss"), ("l3miss", "l3miss")) if data.get(key)]
        return [f"id {data['id']}", f"dstport {data['port']}", *ends, *device, *learning, *more]
    return None


def _set(
    place: str, name: str, kind: str, data: Mapping[str, Any], options: Sequence[tuple[str, str, object]]
) -> Iterator[ops.Operation]:
    for key, word, usual in options:
        if key in data and data[key] != usual:
            value = ("on" if data[key] else "off") if isinstance(data[key], bool) else data[key]
            yield ops.Ip(place, f"link set {quote(name)} type {kind} {word} {value}")


def _switches(link: Link) -> Iterator[str]:
    flags = link["flags"]
    if "PROMISC" in flags:
        yield "promisc on"
    if "ALLMULTI" in flags:
        yield "allmulticast on"
    if "NOARP" in flags and kind_of(link) not in ("ipvlan", "dummy"):
        yield "arp off"
    if link.get("ifalias"):
        yield f"alias {quote(link['ifalias'])}"
