"""Addresses, routes and rules of a place as the commands that set them again, from what the tools report."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from shlex import quote
from typing import Any

from netlab import ops
from netlab.script.configuration import Configuration
from netlab.script.links import was_up

_OWN_ROUTES = ("local ", "broadcast ", "anycast ", "multicast ")
_PASSING = re.compile(r" (linkdown|dead|offload|expires \S+|error -?\d+|pref medium)(?= |$)")
_SIMPLE = re.compile(
    r"(?:(?P<kind>blackhole|unreachable|prohibit) )?(?P<to>default|[0-9a-f.:]+(?:/\d+)?)(?: via (?P<via>[0-9a-f.:]+))?"
    r"(?: dev (?P<dev>\S+))?(?P<scope> scope link)?"
)
_USUAL_RULES = {"0": "from all lookup local", "32766": "from all lookup main", "32767": "from all lookup default"}
_TABLE = re.compile(r"^table (\S+) (\S+) \{$")


# ── addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────


def addresses(here: Configuration, name: str) -> Iterator[ops.Operation]:
    """Yield what gives an interface its addresses, but for those that the kernel gives it: link-local ones, and lo's."""
    link = here.link(name)
    given = link.get("addr_info", [])
    own = ["127.0.0.1/8", "::1/128"] if name == "lo" and "UP" in link["flags"] else []
    own = ["127.0.0.1/8"] if was_up(link) else own
    v4 = [one for one in given if one["family"] == "inet"]
    v6 = [one for one in given if one["family"] == "inet6" and one["scope"] != "link" and not one.get("dynamic")]
    for one in [*v4, *reversed(v6)]:  # the newest address of IPv6 comes first in the report
        if _written(one) not in own:
            yield _address(here.place, name, one)
    present = {_written(one) for one in given}
    off = here.parameters.get(f"net.ipv6.conf.{name}.disable_ipv6") == "1"
    for one in own:
        if one not in present and not (off and ":" in one):
            yield ops.DeleteAddress(here.place, name, one)


def _written(one: dict[str, Any]) -> str:
    return f"{one['local']}/{one['prefixlen']}"


def _address(place: str, name: str, one: dict[str, Any]) -> ops.Operation:
    interface = ipaddress.ip_interface(_written(one))
    network = interface.network
    usual = None
    if interface.version == 4 and network.prefixlen < 31:
        usual = str(network.broadcast_address)
    scope = "host" if interface.is_loopback else "global"
    plain = (
        one.get("broadcast") == usual
        and one["scope"] == scope
        and one.get("label", name) == name
        and not {"address", "noprefixroute"} & set(one)
    )
    if plain:
        return ops.AddAddress(place, name, _written(one), nodad=bool(one.get("nodad")))
    peer = f"{one['local']} peer {one['address']}/{one['prefixlen']}" if "address" in one else _written(one)
    words = ["address add", peer]
    words += [f"broadcast {one['broadcast']}"] if "broadcast" in one else []
    words += [f"scope {one['scope']}"] if one["scope"] != scope else []
    words += [f"label {quote(one['label'])}"] if one.get("label", name) != name else []
    words += [flag for flag in ("noprefixroute", "nodad") if one.get(flag)]
    return ops.Ip(place, " ".join([*words, f"dev {quote(name)}"]))


# ── routes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def routes(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what adds the routes that somebody has added, and takes those away that somebody has taken away."""
    yield from _lost_routes(here)
    lines = [_PASSING.sub("", line.replace("\\", " ")) for line in here.routes]
    kept = [line for line in lines if line and not line.startswith(_OWN_ROUTES)]
    kept = [line for line in kept if " proto kernel" not in line and " proto ra" not in line]
    for line in sorted(kept, key=lambda one: " via " in f" {one}"):  # a gateway must be in reach first
        yield _route(here.place, " ".join(line.split()))


def _route(place: str, line: str) -> ops.Operation:
    plain = line.removesuffix(" metric 1024") if ":" in line else line
    match = _SIMPLE.fullmatch(plain)
    if match and bool(match["scope"]) == (not match["via"] and not match["kind"] and ":" not in line):
        known = match["via"] or match["kind"] or match["to"] != "default"
        device = None if match["kind"] else match["dev"]
        if known and not (match["kind"] and ":" in line):
            return ops.AddRoute(place, match["to"], match["via"], device, match["kind"] or "unicast")
    family = "-6 " if ":" in line else ""
    return ops.Ip(place, f"{family}route add {line}")


def _lost_routes(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what deletes the routes to connected subnets that the kernel made and somebody has deleted."""
    for link in here.links:
        if "UP" not in link["flags"]:
            continue
        for one in link.get("addr_info", []):
            network = ipaddress.ip_interface(_written(one)).network
            if one["scope"] != "global" or network.prefixlen == network.max_prefixlen or "address" in one:
                continue
            begin = f"{network} dev {link['ifname']} proto kernel"
            if not one.get("noprefixroute") and not any(line.startswith(begin) for line in here.routes):
                yield ops.DeleteRoute(here.place, str(network), None, link["ifname"])


def routing_rules(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what makes the rules that choose a routing table (ip-rule(8))."""
    for family, lines in (("", here.rules), ("-6 ", here.rules6)):
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        usual = dict(_USUAL_RULES)
        if family:
            usual.pop("32767")
        for preference, line in found.items():
            words = " ".join(line.split())
            if usual.get(preference) != words:
                yield ops.Ip(here.place, f"{family}rule add pref {preference} {words}")
        for preference, words in usual.items():
            if found and " ".join(found.get(preference, "").split()) != words:
                yield ops.Ip(here.place, f"{family}rule delete pref {preference} {words}")


# ── neighbours, forwarding tables, packet rules ────────────────────────────────────────────────────────────────────


def neighbours(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what enters the neighbours that somebody has entered for good."""
    for line in here.neighbours:
        words = line.split()
        if line.endswith("PERMANENT"):
            yield ops.Ip(here.place, f"neigh add {' '.join(words[:-1])} nud permanent")
        elif line.endswith("proxy"):
            yield ops.Ip(here.place, f"neigh add proxy {' '.join(words[:-1])}")


def forwarding(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what enters the addresses that somebody has entered in the tables of bridges and tunnels."""
    own = {str(link.get("address")) for link in here.links}
    remotes = {
        (str(link["ifname"]), str(value))
        for link in here.links
        for key, value in link.get("linkinfo", {}).get("info_data", {}).items()
        if key in ("remote", "remote6", "group", "group6")
    }
    for line in here.forwarding:
        mac, _, name, *rest = line.split()
        words = dict(pairwise(rest))
        if "dst" in words:
            if "permanent" in rest and (name, words["dst"]) not in remotes:
                more = "".join(f" {key} {words[key]}" for key in ("port", "vni", "via") if key in words)
                yield ops.Bridge(here.place, f"fdb append {mac} dev {quote(name)} dst {words['dst']}{more} permanent")
        elif "static" in rest or ("permanent" in rest and "master" in rest and mac not in own):
            vlan = f" vlan {words['vlan']}" if "vlan" in words else ""
            state = "static" if "static" in rest else "permanent"
            of = "master" if "master" in rest else "self"
            yield ops.Bridge(here.place, f"fdb replace {mac} dev {quote(name)}{vlan} {of} {state}")


def packet_rules(here: Configuration) -> Iterator[ops.Operation]:
    """Yield what loads the rules: those of nft in its own words, those of iptables in its."""
    tables = dict(_tables(here.ruleset))
    own = [text for key, text in tables.items() if key not in here.of_iptables]
    if own:
        yield ops.NftRules(here.place, "\n".join(own))
    for family, saved in (("ip", here.iptables), ("ip6", here.ip6tables)):
        lines: list[str] = []
        for block in saved.split("COMMIT\n"):
            listing = tables.get((family, name := block.rpartition("*")[2].partition("\n")[0]), "")
            if (family, name) in here.of_iptables:
                lines += [line for line in block.splitlines() if _is_there(line, listing)] + ["COMMIT"]
        if lines:
            yield ops.IptablesRules(here.place, "\n".join(lines), family)


def _is_there(line: str, listing: str) -> bool:
    """Whether a line that iptables has saved stands for something: it names its built-in chains, there or not."""
    return not line.startswith("#") and (
        not line.startswith(":") or f"\tchain {line[1:].split(maxsplit=1)[0]} {{" in listing
    )


def _tables(listing: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the tables of a listing, by family and name."""
    block: list[str] = []
    for line in listing.splitlines():
        if match := _TABLE.match(line):
            block, key = [], match.groups()
        block.append(line)
        if line == "}":
            yield (key[0], key[1]), "\n".join(block)


def flat(parts: Iterable[Iterable[ops.Operation]]) -> list[ops.Operation]:
    """Return the operations of several parts in a row."""
    return [operation for part in parts for operation in part]
