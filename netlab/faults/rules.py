"""Faults of rules, translation, ports and servers."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from netlab.drivers.rules import TABLE
from netlab.faults.fault import Break, Command, Situation, fault, main_address, table_with
from netlab.model import Rule


def _where(rule: Rule) -> str:
    return f"{rule.family} {rule.table} {rule.chain}"


def _again(place: str, rule: Rule) -> Command:
    """Return the command that appends a rule as it is now to its chain."""
    comment = f' comment "{rule.comment}"' if rule.comment else ""
    return Command(place, f"nft {quote(f'add rule {_where(rule)} {rule.text}{comment}')}")


@fault("no-masquerade", 2, "rules", "route-refuses", "no-route")
def no_masquerade(at: Situation) -> Iterator[Break]:
    """Delete the rule that lets a network's containers appear under the host's address."""
    for way in at.ways:
        for host in at.hosts(way):
            used = {one.evidence for one in way.explanation if one.kind == "nat" and one.place == host.name}
            for rule in at.rules(host.name):
                if "masquerade" in rule.text and any(one.startswith(f"{rule.chain}: {rule.text}") for one in used):
                    delete = Command(host.name, f"nft delete rule {_where(rule)} handle {rule.handle}")
                    yield Break(way, (delete,), (_again(host.name, rule),))


@fault("dropped-by-user-rule", 1, "rules", "rule-dropped")
def dropped_by_user_rule(at: Situation) -> Iterator[Break]:
    """Drop what goes to or comes from a container in DOCKER-USER."""
    for way in at.ways:
        for host in at.hosts(way):
            if not any(rule.table == TABLE for rule in at.rules(host.name)):
                continue
            for state in at.inhabitants(way):
                address = main_address(state)
                if address is None:
                    continue
                for side in ("-s", "-d"):
                    words = f"DOCKER-USER {side} {address.address} -j DROP"
                    drop, undo = (Command(host.name, f"iptables {flag} {words}") for flag in ("-I", "-D"))
                    yield Break(way, (drop,), (undo,))


@fault("dropped-early", 2, "rules", "rule-dropped")
def dropped_early(at: Situation) -> Iterator[Break]:
    """Drop packets to a port on a host before anything else sees them."""
    for way in at.ways:
        for host in at.forwarding_hosts(way) if way.is_page else ():
            port = way.explanation.target.port
            do, undo = table_with("hardening", "prerouting priority -300", f"tcp dport {port} drop")
            yield Break(way, (Command(host.name, do),), (Command(host.name, undo),))


@fault("rejected", 2, "rules", "rule-rejected")
def rejected(at: Situation) -> Iterator[Break]:
    """Refuse packets that a host would pass on, and say so."""
    for way in at.ways:
        for host in at.forwarding_hosts(way):
            do, undo = table_with("guard", "forward priority -10", "ct state new reject")
            yield Break(way, (Command(host.name, do),), (Command(host.name, undo),))


@fault("dropped-at-the-door", 2, "rules", "rule-dropped")
def dropped_at_the_door(at: Situation) -> Iterator[Break]:
    """Let a container drop what comes in for its own server."""
    for way in at.ways:
        state = at.state(way.end)
        if way.is_page and state.kind == "container":
            do, undo = table_with("firewall", "input priority 0", "tcp dport 80 drop")
            yield Break(way, (Command(state.name, do),), (Command(state.name, undo),))


@fault("echo-ignored", 1, "server", "echo-ignored")
def echo_ignored(at: Situation) -> Iterator[Break]:
    """Let a container not answer pings."""
    for way in at.ways:
        state = at.state(way.end)
        if not way.is_page and state.kind in ("container", "namespace"):
            key = "net.ipv4.icmp_echo_ignore_all"
            on, off = (Command(state.name, f"sysctl -w {key}={number}") for number in (1, 0))
            yield Break(way, (on,), (off,))


@fault("wrong-port-mapping", 2, "rules", "port-closed", "rule-dropped")
def wrong_port_mapping(at: Situation) -> Iterator[Break]:
    """Let a published port lead to another port of the container."""
    for way in at.ways:
        for host in at.hosts(way):
            used = {one.evidence for one in way.explanation if one.kind == "nat" and one.place == host.name}
            for rule in at.rules(host.name):
                if "dnat to" in rule.text and any(one.startswith(f"{rule.chain}: {rule.text}") for one in used):
                    head, _, port = rule.text.rpartition(":")
                    comment = f' comment "{rule.comment}"' if rule.comment else ""
                    replace = f"replace rule {_where(rule)} handle {rule.handle} {head}"
                    wrong = Command(host.name, f"nft {quote(f'{replace}:{int(port) + 1}{comment}')}")
                    right = Command(host.name, f"nft {quote(f'{replace}:{port}{comment}')}")
                    yield Break(way, (wrong,), (right,))


@fault("proxy-gone", 2, "server", "port-closed")
def proxy_gone(at: Situation) -> Iterator[Break]:
    """End the docker-proxy that carries connections from the host's own addresses."""
    for way in at.ways:
        host = at.state(way.source)
        if host.kind != "host" or way.end == host.name:
            continue
        port = way.explanation.target.port
        proxy = next((one for one in host.sockets if one.port == port and one.process == "docker-proxy"), None)
        if proxy is not None and at.state(way.end).kind == "container":
            repair = Command(host.name, f"docker restart {way.end}")
            yield Break(way, (Command(host.name, f"kill {proxy.pid}"),), (repair,))


@fault(
    "server-stopped",
    1,
    "server",
    "container-stopped",
    "name-unknown",
    "arp-unanswered",
    "not-attached",
    "link-down",
    "port-closed",
)
def server_stopped(at: Situation) -> Iterator[Break]:
    """Stop the container that serves a page."""
    for way in at.ways:
        state = at.state(way.end)
        if way.is_page and state.kind == "container" and state.host:
            stop, start = (Command(state.host, f"docker {word} {state.name}") for word in ("stop", "start"))
            yield Break(way, (stop,), (start,))
