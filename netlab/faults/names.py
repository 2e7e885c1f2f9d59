"""Faults of names: where they are asked for, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from netlab.faults.fault import Break, Command, Situation, bridge_port, fault, table_with, written
from netlab.faults.ways import Way

_NOBODY = "198.51.100.99"


def _asks(at: Situation) -> Iterator[Way]:
    """Yield the ways of containers that need a name."""
    for way in at.ways:
        if way.by_name and at.state(way.source).kind == "container":
            yield way


@fault("wrong-name-server", 1, "name", "arp-unanswered", "name-server-silent", "no-route")
def wrong_name_server(at: Situation) -> Iterator[Break]:
    """Let a container ask a name server that is not there."""
    for way in _asks(at):
        known = at.file(way.source, "/etc/resolv.conf")
        wrong = written(way.source, "/etc/resolv.conf", f"nameserver {_NOBODY}\n")
        yield Break(way, (wrong,), (written(way.source, "/etc/resolv.conf", known),))


@fault("no-name-server", 1, "name", "no-name-server", "port-closed")
def no_name_server(at: Situation) -> Iterator[Break]:
    """Let a container know no name server."""
    for way in _asks(at):
        known = at.file(way.source, "/etc/resolv.conf")
        empty = written(way.source, "/etc/resolv.conf", "# generated\n")
        yield Break(way, (empty,), (written(way.source, "/etc/resolv.conf", known),))


@fault("wrong-hosts-file", 2, "name", "arp-unanswered", "no-route")
def wrong_hosts_file(at: Situation) -> Iterator[Break]:
    """Let a name mean an address that nobody has, in /etc/hosts."""
    for way in _asks(at):
        name = way.explanation.target.host
        known = at.file(way.source, "/etc/hosts")
        wrong = written(way.source, "/etc/hosts", f"{known}{_NOBODY}\t{name}\n")
        yield Break(way, (wrong,), (written(way.source, "/etc/hosts", known),))


@fault("name-rules-gone", 3, "name", "port-closed")
def name_rules_gone(at: Situation) -> Iterator[Break]:
    """Delete the rules in a container that lead 127.0.0.11:53 to the internal name server."""
    for way in _asks(at):
        rules = [rule for rule in at.rules(way.source) if rule.table == "docker-dns"]
        if rules and any(one.evidence.startswith("127.0.0.0/8") for one in way.explanation):
            lines = [
                f'add rule {rule.family} {rule.table} {rule.chain} {rule.text} comment "{rule.comment}"'
                for rule in rules
            ]
            repair = Command(way.source, f"printf '%s\\n' {' '.join(quote(line) for line in lines)} | nft -f -")
            yield Break(way, (Command(way.source, "nft flush table ip docker-dns"),), (repair,))


@fault("name-server-silent", 2, "name", "rule-dropped")
def name_server_silent(at: Situation) -> Iterator[Break]:
    """Let the internet's name server drop all questions."""
    for way in _asks(at):
        if "dns" in way.places:
            do, undo = table_with("overload", "input priority 0", "udp dport 53 drop")
            yield Break(way, (Command("dns", do),), (Command("dns", undo),))


@fault("wrong-network", 1, "name", "name-unknown")
def wrong_network(at: Situation) -> Iterator[Break]:
    """Move a container from its network to the default one, where names are not known."""
    for way in _asks(at):
        state = at.state(way.end)
        end = bridge_port(at, state)
        network = at.snapshot.networks.get((end[0], end[1].master or "")) if end else None
        attached = sum(one.kind == "veth" for one in state.interfaces)
        if end is None or network in (None, "bridge") or attached != 1 or way.end == way.source:
            continue
        host, name = end[0], state.name
        commands = (
            Command(host, f"docker network disconnect {network} {name}"),
            Command(host, f"docker network connect bridge {name}"),
        )
        repair = (
            Command(host, f"docker network disconnect bridge {name}"),
            Command(host, f"docker network connect {network} {name}"),
        )
        yield Break(way, commands, repair)
