"""How a name becomes an address, as the C library would ask: /etc/hosts, then the servers of /etc/resolv.conf."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from netlab import dns
from netlab.reasons import Finding
from netlab.why.filters import Tell
from netlab.why.kernel import Kernel
from netlab.why.packet import Packet
from netlab.why.records import Records, Served
from netlab.why.trouble import Failed, Repair
from netlab.why.walking import Walk

_QUESTION = 70  # bytes of a packet with a question


class Naming:
    """Resolves names in thought; `round_trip` sends a question to a server and its answer back, or raises Failed."""

    def __init__(self, kernel: Kernel, records: Records, tell: Tell, walk: Callable[[], Walk]) -> None:
        self._kernel = kernel
        self._records = records
        self._tell = tell
        self._walk = walk
        self.by_file: str | None = None  # the address, when /etc/hosts has it

    def resolve(self, place: str, name: str) -> str:
        """Return the first address of a name; raises Failed."""
        try:
            return str(ipaddress.ip_address(name))
        except ValueError:
            pass
        for line in self._kernel.file(place, "/etc/hosts").splitlines():
            words = line.split("#")[0].split()
            if name in words[1:]:
                self._known(place, name, words[0], "/etc/hosts", line.strip())
                self.by_file = words[0]
                return words[0]
        settings = [line.split() for line in self._kernel.file(place, "/etc/resolv.conf").splitlines() if line.strip()]
        servers = [words[1] for words in settings if words[0] == "nameserver" and len(words) > 1]
        search = next((words[1:] for words in settings if words[0] in ("search", "domain")), [])
        if not servers:
            nobody = Failed("name", Finding("no-name-server", place, {"name": name}))
            raise self._with_usual_server(place, servers, nobody)
        first: Failed | None = None
        for server in servers:
            for asked in [name, *(f"{name}.{domain}" for domain in search)]:
                try:
                    address = self._ask(place, server, asked)
                except Failed as failed:
                    first = first or failed
                    if failed.finding.code != "name-unknown":
                        break  # this server says nothing: the next one
                    continue
                self._known(place, name, address, server, f"{name} A {address}")
                return address
            if first is not None and first.finding.code in ("name-unknown", "name-without-address"):
                break  # an answer is an answer
        raise self._with_usual_server(place, servers, first)

    def _with_usual_server(self, place: str, servers: Sequence[str], failed: Failed | None) -> Failed:
        """Return a failure with the command that lets a container ask again whom the engine had it ask, if it does not."""
        served = self._serves(place)
        usual = [dns.ADDRESS] if served and served.networks else list(served.upstreams) if served else []
        found = failed or Failed("name", Finding("no-name-server", place, {"name": ""}))
        if found.finding.code == "name-unknown" and served and usual == [dns.ADDRESS]:
            found = self._with_container_at_hand(place, served, found)
        if usual and usual[0] not in servers:
            return Failed(found.kind, found.finding, Repair(place, f"echo nameserver {usual[0]} > /etc/resolv.conf"))
        return found

    def _with_container_at_hand(self, place: str, served: Served, failed: Failed) -> Failed:
        """Return a failure with the command that starts the container of that name, or brings it to a network of the asker."""
        name, host = str(failed.finding.facts["name"]), self._kernel.place(place).host
        if (stopped_on := self._records.stopped(name)) is not None:
            finding = Finding("container-stopped", stopped_on, {"name": name})
            return Failed("name", finding, Repair(stopped_on, f"docker start {name}"))
        if host is None or self._records.served(name) is None:
            return failed
        network = served.networks[0].name
        return Failed(failed.kind, failed.finding, Repair(host, f"docker network connect {network} {name}"))

    def _known(self, place: str, name: str, address: str, by: str, evidence: str) -> None:
        english, japanese = f"{name} resolves to {address} ({by})", f"{name} は {address} に解決されます ({by})"
        command = "cat /etc/hosts" if by == "/etc/hosts" else f"dig {name} @{by}"
        self._tell("name", place, english, japanese, command, evidence)

    def _ask(self, place: str, server: str, name: str) -> str:
        """Return what a server answers; raises Failed: it cannot be reached, or does not know the name."""
        at, port = self._reach(place, server)
        holder = self._kernel.listener(at, "udp", *port)
        if holder is not None and port[0] == dns.ADDRESS and (served := self._serves(place)) is not None:
            return self._by_engine(place, server, name, served)
        if at == "dns":
            return self._by_zone(place, server, name)
        raise Failed("name", Finding("name-server-silent", place, {"name": name, "server": server}))

    def _reach(self, place: str, server: str) -> tuple[str, tuple[str, int]]:
        """Send a question to a server and its answer back; return where it got to."""
        question = Packet("udp", "", server, 49153, 53, size=_QUESTION)
        walk = self._walk()
        there = walk.send(place, question)
        walk.listener(there.place, there.packet)
        walk.send(there.place, there.packet.reply(_QUESTION + 30))
        return there.place, (there.packet.destination, there.packet.destination_port)

    def _serves(self, place: str) -> Served | None:
        inode = self._kernel.place(place).inode
        sharing = [one.name for one in self._kernel.snapshot.places if one.inode == inode]
        return next((found for one in sharing if (found := self._records.served(one)) is not None), None)

    def _by_engine(self, place: str, server: str, name: str, served: Served) -> str:
        for kind in ("A", "AAAA"):
            found = dns.resolve(
                served.networks, name, kind, served.aliases, forward_single_labels=served.forward_single_labels
            )
            if found.outcome == "answer":
                return found.records[0]
        if found.outcome == "empty":
            raise Failed("name", Finding("name-without-address", place, {"name": name, "server": server}))
        first: Failed | None = None
        for upstream in served.upstreams:
            try:
                at, _ = self._reach(place, upstream)
            except Failed as failed:
                first = first or failed
                continue
            if at == "dns":
                return self._by_zone(place, server, name)
        if first is not None:
            raise first
        raise Failed("name", Finding("name-server-failed", place, {"name": name, "server": server}))

    def _by_zone(self, place: str, server: str, name: str) -> str:
        address = self._records.zone.get(name.rstrip(".").lower())
        if address is None:
            raise Failed("name", Finding("name-unknown", place, {"name": name, "server": server}))
        return address
