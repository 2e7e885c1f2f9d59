"""What is configured in the kernel in each place, as the kernel's own tools report it.

More than a picture needs, and so read apart from `observer`: with sets and maps, sysctls, static neighbours, options of
bridges. The tools' words are kept as they are where the tools take them back: `nft list ruleset`, `ip route show`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from netlab.errors import NetlabError, SandboxError
from netlab.language import say
from netlab.model import PlaceKind
from netlab.world import Entry, World

_SIDE_BY_SIDE = 4
_SECONDS = 60
_MARK = "=== "
_LOOKS = {
    "links": "ip -j -d address show",
    "assigned": "grep -H . /sys/class/net/*/addr_assign_type",
    "routes": "ip -o -4 route show table all; ip -o -6 route show table all",
    "rules": "ip -4 rule show",
    "rules6": "ip -6 rule show",
    "neighbours": "ip neigh show nud permanent; ip neigh show proxy",
    "forwarding": "bridge fdb show",
    "parameters": "sysctl -a -r '^net[.](ipv4|ipv6|bridge|core|netfilter)[.]'",
    "ruleset": "nft -s list ruleset",
    "managed": "nft list ruleset 2>&1 > /dev/null",  # says on stderr which tables it cannot read back
    "iptables": "iptables-save",
    "ip6tables": "ip6tables-save",
}
_FRESH = "unshare --net sysctl -a -r '^net[.](ipv4|ipv6|bridge|core|netfilter)[.]'"
_DEVICE = re.compile(r"\bdev (\S+)")
_OF_IPTABLES = re.compile(r"table (\S+) (\S+) is managed by iptables-nft")
_CHOSEN = "3"  # NET_ADDR_SET: somebody gave the interface its hardware address (addr_assign_type, sysfs-class-net)


@dataclass(frozen=True)
class Configuration:
    """What is configured in one place. `others` gives the place behind each number that its links name (link_netnsid)."""

    place: str
    kind: PlaceKind
    host: str | None
    links: tuple[dict[str, Any], ...]
    chosen_macs: frozenset[str]
    routes: tuple[str, ...]
    rules: tuple[str, ...]
    rules6: tuple[str, ...]
    neighbours: tuple[str, ...]
    forwarding: tuple[str, ...]
    parameters: Mapping[str, str]
    ruleset: str
    of_iptables: frozenset[tuple[str, str]]  # families and names of tables
    iptables: str
    ip6tables: str
    others: Mapping[int, str]

    def link(self, name: str) -> dict[str, Any]:
        """Return an interface by its name."""
        return next(one for one in self.links if one["ifname"] == name)

    def without(self, names: AbstractSet[str]) -> Configuration:
        """Return the same without some interfaces and what leads through them."""

        def kept(lines: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(line for line in lines if not names & set(_DEVICE.findall(line)))

        return replace(
            self,
            links=tuple(one for one in self.links if one["ifname"] not in names),
            routes=kept(self.routes),
            neighbours=kept(self.neighbours),
            forwarding=kept(self.forwarding),
        )


@dataclass(frozen=True)
class Everything:
    """All places of a lab by name, and the parameters of a namespace that nobody has touched.

    `begun` gives the parameters of places that need not be made, as they are there.
    """

    places: Mapping[str, Configuration]
    fresh: Mapping[str, str]
    begun: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def parameters_before(self, place: str) -> Mapping[str, str]:
        """Return the parameters that a place begins with."""
        return self.begun.get(place, self.fresh)

    def on_one_machine(self) -> Everything:
        """Return the same with names that differ: two hosts may each have a namespace of one name (NAME@HOST)."""
        names = {name: name.replace("@", "-") for name in self.places}
        places = {
            names[name]: replace(one, place=names[name], others={key: names[it] for key, it in one.others.items()})
            for name, one in self.places.items()
        }
        return replace(self, places=places)


def read(world: World, host: str, looks: Collection[str] = _LOOKS) -> Everything:
    """Return what is configured in all places that have a network namespace of their own; raises SandboxError.

    With `looks`, only these parts of each configuration are read, and the others are empty.
    """
    world.refresh()
    entries: dict[int, Entry] = {}
    for entry in sorted(world, key=lambda one: one.kind != "host"):
        entries.setdefault(entry.inode, entry)
    kept = [entry for entry in world if entries[entry.inode] is entry]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        said = list(pool.map(lambda entry: _look(world, entry.name, looks), kept))
    fresh = world.run_command(host, ["/bin/sh", "-c", f"{_FRESH} 2>/dev/null"], timeout=_SECONDS).stdout
    found = {entry.name: _configuration(entry, kept, one) for entry, one in zip(kept, said, strict=True)}
    return Everything(found, _parameters(fresh.splitlines()))


def _look(world: World, place: str, looks: Collection[str]) -> dict[str, str]:
    """Return what each of the tools says in a place."""
    lines = [f"echo '{_MARK}{name}'; {{ {_LOOKS[name]}; }} 2>/dev/null" for name in looks]
    done = world.run_command(place, ["/bin/sh", "-c", "\n".join(lines) + "\ntrue"], timeout=_SECONDS)
    if done.returncode:
        raise SandboxError(
            say(
                en=f"What is configured in {place} cannot be read: {done.stderr.strip()}",
                ja=f"{place} の設定を読み取れません: {done.stderr.strip()}",
            )
        )
    said = dict.fromkeys(_LOOKS, "")
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            name = line.removeprefix(_MARK)
        else:
            said[name] += line + "\n"
    return said


def _configuration(entry: Entry, entries: Sequence[Entry], said: Mapping[str, str]) -> Configuration:
    links = tuple(json.loads(said["links"] or "[]"))
    assigned = [line.split("/")[-2:] for line in said["assigned"].splitlines()]
    chosen = {name for name, kind in assigned if kind.endswith(_CHOSEN)}
    if not assigned:  # /sys shows nothing here: better one address too many than one too few
        chosen = {str(link["ifname"]) for link in links}
    lines = {name: tuple(line.strip() for line in text.splitlines()) for name, text in said.items()}
    return Configuration(
        place=entry.name,
        kind=entry.kind,
        host=entry.host,
        links=links,
        chosen_macs=frozenset(chosen),
        routes=lines["routes"],
        rules=lines["rules"],
        rules6=lines["rules6"],
        neighbours=lines["neighbours"],
        forwarding=lines["forwarding"],
        parameters=_parameters(lines["parameters"]),
        ruleset=said["ruleset"],
        of_iptables=frozenset(_OF_IPTABLES.findall(said["managed"])),
        iptables=said["iptables"],
        ip6tables=said["ip6tables"],
        others=_others(entry, entries, {int(link["link_netnsid"]) for link in links if "link_netnsid" in link}),
    )


def _parameters(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(" = ") for line in lines)
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _others(entry: Entry, entries: Sequence[Entry], numbers: set[int]) -> dict[int, str]:
    """Return which place each number means that a namespace knows others by (RTM_GETNSID, rtnetlink(7))."""
    found: dict[int, str] = {}
    for other in entries:
        if len(found) == len(numbers):
            break
        try:
            number = entry.route_socket.namespace_id(other.descriptor)
        except (OSError, NetlabError):
            continue  # the place went while it was looked at
        if number in numbers and other is not entry:
            found[number] = other.name
    return found
