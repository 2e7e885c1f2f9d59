"""Why a probe got no answer: the reason, found in what was seen where its last packet was seen last."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from netlab.capture.headers import ARP, ICMP, TCP, Headers
from netlab.capture.packet import Packet
from netlab.journey.facts import Facts
from netlab.journey.gathering import Observation
from netlab.journey.joining import Passage, Run
from netlab.journey.walking import arrived
from netlab.reasons import Finding

_DESTINATION_NAT = re.compile(r"dnat to (\d+\.\d+\.\d+\.\d+)")
_REDIRECT = 5
_REVERSE_PATH = "TcpExt.IPReversePathFilter"
_LOOKUPS = {
    "nxdomain": "name-unknown",
    "empty": "name-without-address",
    "failure": "name-server-failed",
    "silence": "name-server-silent",
    "refused": "name-server-silent",
    "unreachable": "name-server-unreachable",
}
_UNREACHABLE_WORDS = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    9: "network prohibited",
    10: "host prohibited",
    13: "administratively prohibited",
}


@dataclass(slots=True)
class Diagnosis:
    """Looks for the reason; `there` and `back` are the packets of the request and what answered them."""

    seen: Observation
    facts: Facts
    lookups: Sequence[Passage]
    there: Sequence[Passage]
    back: Sequence[Passage]

    def finding(self) -> Finding | None:
        """Return the reason why no answer came, or None when one did."""
        outcome = self.seen.outcome
        if outcome.ok or self.delivered_datagram():
            return None
        if not outcome.lookup.addresses:
            return self._of_lookup()
        died = self.dying()
        found = self._death_of(died) if died is not None else None
        return found or self._of_answer() or self._of_silence()

    def delivered_datagram(self) -> bool:
        """Whether it was a datagram that reached a socket: nothing more can be asked of UDP."""
        outcome, target = self.seen.outcome, self.seen.target
        if target.protocol != "udp" or not outcome.silent or not self.there or not arrived(self.there[0]):
            return False
        place, headers = _end(self.there[0])
        return self.facts.listener(place, "udp", headers.destination, headers.destination_port) is not None

    def dying(self) -> Passage | None:
        """Return the first packet that did not arrive."""
        return next((one for one in (*self.there, *self.back) if not arrived(one) and not one.headers.is_error), None)

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_lookup(self) -> Finding:
        lookup, place = self.seen.outcome.lookup, self.seen.place
        if lookup.by == "nothing":
            return Finding("no-name-server", place, {"name": lookup.name})
        if lookup.outcome in ("silence", "failure", "refused"):
            for one in self.lookups:
                if not arrived(one) and (found := self._death_of(one)) and found.code != "lost":
                    return found
        if lookup.outcome == "unreachable" and (found := self._unsent(lookup.asked, lookup.errno)):
            return found
        return Finding(_LOOKUPS[lookup.outcome], place, {"name": lookup.name, "server": lookup.asked})

    # ── a packet that did not arrive ───────────────────────────────────────────────────────────────────────────────

    def _death_of(self, passage: Passage) -> Finding | None:
        if (found := self._dropped(passage)) is not None:
            return found
        if (found := self._told(passage)) is not None:
            return found
        last = list(passage.sights())[-1]
        if isinstance(last, Run):
            return self._after_chains(last, passage)
        if last.outgoing:
            return self._after_leaving(last)
        return self._after_entering(last, passage)

    def _dropped(self, passage: Passage) -> Finding | None:
        for run in passage.runs:
            event = run.dropped
            if event is None:
                continue
            rule, chain = self.facts.rule(run.place, event), self.facts.chain(run.place, event)
            family = chain.family if chain else event.family
            facts: dict[str, Any] = {"family": family, "table": event.table, "chain": event.chain}
            if rule is None:
                return Finding("policy-dropped", run.place, facts)
            comment = f', "{rule.comment}"' if rule.comment else ""
            facts |= {"rule": rule.text, "comment": comment, "handle": rule.handle}
            return Finding("rule-rejected" if "reject" in rule.text.lower() else "rule-dropped", run.place, facts)
        return None

    def _told(self, passage: Passage) -> Finding | None:
        """Read the ICMP error that came back about a packet."""
        for one in self.back:
            error = one.headers
            about = error.inner if _tells_of_death(error) else None
            if about is not None and about.destination == passage.headers.destination:
                return self._from_error(error, one)
        return None

    def _from_error(self, error: Headers, passage: Passage) -> Finding | None:
        place = _begin(passage)
        inner = error.inner or error
        destination = inner.destination
        if error.protocol == ICMP and error.kind == 11:
            return Finding("time-exceeded", place, {"destination": destination})
        if (error.protocol == ICMP and error.kind == 3 and error.code == 4) or (
            error.protocol != ICMP and error.kind == 2
        ):
            return Finding("packet-too-big", place, {"size": inner.size, "mtu": error.mtu, "destination": destination})
        if error.protocol == ICMP and error.kind == 3 and error.code == 3 and inner.protocol != ICMP:
            return self._closed(place, inner.destination, inner.destination_port, inner.protocol)
        if (refused := self.facts.refusing_route(place, destination)) is not None:
            return Finding("route-refuses", place, {"route": refused.destination, "kind": refused.kind})
        if error.protocol == ICMP and error.code == 0 and not self.facts.way(place, destination).leads_on:
            return Finding("no-route", place, {"destination": destination})
        if (found := self._unanswered(place)) is not None:
            return found
        words = _UNREACHABLE_WORDS.get(error.code, f"code {error.code}")
        return Finding("unreachable", place, {"destination": destination, "words": words})

    def _after_chains(self, run: Run, passage: Passage) -> Finding | None:
        place, headers = run.place, run.headers
        hook = self._hook(run)
        if hook == "prerouting":
            if (found := self._not_bridged(place, passage)) is not None:
                return found
            incoming = next((one.incoming for one in passage.runs if one.place == place and one.incoming), None)
            return self._not_routed(place, self._translated(run, headers), self.facts.named(place, incoming), passage)
        leaving = next((one.outgoing for one in reversed(passage.runs) if one.place == place and one.outgoing), None)
        return self._not_sent_on(place, headers, self.facts.named(place, leaving))

    def _translated(self, run: Run, headers: Headers) -> Headers:
        """Return the headers with the destination that the last rule gave the packet, if it gave one."""
        rules = [self.facts.rule(run.place, event) for event in run.events]
        found = [match for rule in rules if rule and (match := _DESTINATION_NAT.search(rule.text))]
        return replace(headers, destination=found[-1].group(1)) if found else headers

    def _hook(self, run: Run) -> str:
        if run.ours:
            return run.events[0].chain
        chain = self.facts.chain(run.place, run.events[0])
        return (chain.hook if chain else None) or ""

    def _not_routed(self, place: str, headers: Headers, interface: str, passage: Passage) -> Finding:
        """Explain a packet that came in, and that the kernel sent neither on nor up."""
        if (found := self._hairpin(place, headers)) is not None:
            return found
        if self.seen.counted.get(place, {}).get(_REVERSE_PATH):
            return Finding("reverse-path", place, {"source": headers.source, "interface": interface})
        if not self.facts.has(place, headers.destination):
            state = self.facts.place(place)
            if (refused := self.facts.refusing_route(place, headers.destination)) is not None:
                return Finding("route-refuses", place, {"route": refused.destination, "kind": refused.kind})
            if state is not None and not state.ip_forward:
                if (length := self._meant_for(place, headers.destination, passage)) is not None:
                    facts = {"destination": headers.destination, "interface": interface, "length": length}
                    return Finding("address-missing", place, facts)
                return Finding("not-forwarding", place, {"destination": headers.destination})
            if self.facts.way(place, headers.destination).kind == "none":
                return Finding("no-route", place, {"destination": headers.destination})
            way = self.facts.way(place, headers.destination)
            if (found := self._too_big(place, headers, self.facts.named(place, way.interface))) is not None:
                return found
        return Finding("lost", place, {"interface": interface})

    def _meant_for(self, place: str, destination: str, passage: Passage) -> str | None:
        """Return the prefix length of the subnet in which the sender takes a place for the destination, not for a router."""
        before = [one.place for one in passage.sights() if one.place != place]
        way = self.facts.way(before[-1], destination) if before else None
        return way.prefix.partition("/")[2] if way and way.leads_on and not way.gateway else None

    def _hairpin(self, place: str, headers: Headers) -> Finding | None:
        """Tell of a packet that would have to leave by the very port of a bridge that it came in by."""
        owner = self.facts.owner(headers.destination)
        came = [one for one in self.seen.packets if one.place == place and not one.outgoing]
        if owner is None or owner == place:
            return None
        interface = self.facts.interface(owner, self._interface_of(owner, headers.destination))
        port = interface.peer_name if interface and interface.peer_place == place else None
        sent_by = {one.interface for one in came if one.headers.identification == headers.identification}
        if port is None or port not in sent_by or self.facts.hairpin(place, port):
            return None
        return Finding("hairpin-off", place, {"interface": port, "owner": owner})

    def _not_sent_on(self, place: str, headers: Headers, interface: str) -> Finding:
        """Explain a packet that was to leave by an interface, and did not."""
        found = self._down(place, interface) or self._unanswered(place, interface)
        return found or self._too_big(place, headers, interface) or Finding("lost", place, {"interface": interface})

    def _too_big(self, place: str, headers: Headers, name: str) -> Finding | None:
        interface = self.facts.interface(place, name)
        if interface is None or headers.size <= interface.mtu or interface.kind == "loopback":
            return None
        return Finding("mtu-black-hole", place, {"size": headers.size, "mtu": interface.mtu, "interface": name})

    def _after_leaving(self, last: Packet) -> Finding:
        """Explain a packet that left an interface, and was seen nowhere else."""
        place, name = last.place, last.interface
        interface = self.facts.interface(place, name)
        if interface is not None and interface.peer_place and interface.peer_name:
            if (found := self._down(interface.peer_place, interface.peer_name)) is not None:
                return found
            if (found := self._too_big(interface.peer_place, last.headers, interface.peer_name)) is not None:
                return found
        if (found := self._hairpin(place, last.headers)) is not None:
            return found
        if interface is not None and interface.kind == "vxlan":
            return self._lost_in_tunnel(last)
        return self._behind(place, name, last.headers.destination_mac) or Finding("lost", place, {"interface": name})

    def _behind(self, place: str, name: str, mac: str) -> Finding | None:
        """Look for what is switched off on the way of a frame: an interface, its port of a bridge, whoever has the address."""
        found = self._down(place, name)
        port = self.facts.forwarding_port(place, name, mac)
        if found is None and port:
            found = self._down(place, port) or self._peer_down(place, port)
        if found is None and (owner := self.facts.with_mac(mac)) is not None:
            found = self._down(owner[0], owner[1].name) or self._peer_down(owner[0], owner[1].name)
        return found

    def _lost_in_tunnel(self, last: Packet) -> Finding:
        interface = self.facts.interface(last.place, last.interface)
        remote = dict(interface.details).get("remote") if interface else None
        if remote:
            way = self.facts.way(last.place, remote)
            if not way.leads_on:
                return Finding("no-route", last.place, {"destination": remote})
            below = self.facts.named(last.place, way.interface)
            found = self._down(last.place, below) or self._unanswered(last.place, below)
            under = self.facts.interface(last.place, below)
            if found is None and under is not None and last.length - 14 + 50 > under.mtu:
                facts = {"size": last.length - 14, "mtu": under.mtu - 50, "interface": last.interface}
                return Finding("mtu-black-hole", last.place, facts)
            if found is not None:
                return found
        return Finding("lost", last.place, {"interface": last.interface})

    def _after_entering(self, last: Packet, passage: Passage) -> Finding:
        """Explain a packet that came in by an interface, and of which netfilter reported nothing."""
        found = self._not_bridged(last.place, passage)
        return found or self._not_routed(last.place, passage.headers, last.interface, passage)

    def _not_bridged(self, place: str, passage: Passage) -> Finding | None:
        """Look for what keeps a bridge from handing a frame on that came in by one of its ports."""
        frames = [one for one in passage.sights() if isinstance(one, Packet) and one.place == place]
        interface = self.facts.interface(place, frames[-1].interface) if frames else None
        if interface is None or not interface.master:
            return None
        return self._behind(place, interface.master, frames[-1].headers.destination_mac)

    # ── what keeps packets from leaving ────────────────────────────────────────────────────────────────────────────

    def _down(self, place: str, name: str) -> Finding | None:
        interface = self.facts.interface(place, name)
        if interface is None or interface.up:
            return None
        return Finding("link-down", place, {"interface": name, "owner": place})

    def _peer_down(self, place: str, name: str) -> Finding | None:
        interface = self.facts.interface(place, name)
        if interface is None or not interface.peer_place or not interface.peer_name:
            return None
        return self._down(interface.peer_place, interface.peer_name)

    def _unanswered(self, place: str, interface: str = "") -> Finding | None:
        """Return the ARP question of a place that nobody answered."""
        heard = [one for one in self.seen.packets if one.headers.protocol == ARP and one.place == place]
        answered = {one.headers.source for one in heard if not one.outgoing}
        for one in heard:
            asked = one.outgoing and one.headers.kind == 1 and self.facts.has(place, one.headers.source)
            if asked and one.headers.destination not in answered and interface in ("", one.interface):
                return self._why_unanswered(one)
        return None

    def _why_unanswered(self, question: Packet) -> Finding:
        """Explain an ARP question without an answer: somebody may be there, and not hear it, or not want to answer."""
        place, name, neighbour = question.place, question.interface, question.headers.destination
        found = self._peer_down(place, name) or self._bridge_down(place, name)
        owner = self.facts.owner(neighbour)
        if found is None and owner is not None:
            found = self._owner_down(owner, neighbour)
            asker, heard_by = question.headers.source, self._interface_of(owner, neighbour)
            back = self.facts.named(owner, self.facts.way(owner, asker).interface)
            if found is None and back != heard_by and self.facts.strict(owner, heard_by):
                return Finding("reverse-path", owner, {"source": asker, "interface": heard_by})
        return found or Finding("arp-unanswered", place, {"interface": name, "neighbour": neighbour})

    def _bridge_down(self, place: str, name: str) -> Finding | None:
        """Look at the bridge that the other end of a veth is a port of."""
        interface = self.facts.interface(place, name)
        if interface is None or not interface.peer_place or not interface.peer_name:
            return None
        port = self.facts.interface(interface.peer_place, interface.peer_name)
        return self._down(interface.peer_place, port.master) if port is not None and port.master else None

    def _interface_of(self, place: str, address: str) -> str:
        state = self.facts.place(place)
        having = (
            one.name
            for one in (state.interfaces if state else ())
            if any(address == its.address for its in one.addresses)
        )
        return next(having, "")

    def _owner_down(self, owner: str, address: str) -> Finding | None:
        state = self.facts.place(owner)
        for interface in state.interfaces if state else ():
            if any(one.address == address for one in interface.addresses):
                if not interface.up:
                    return Finding("link-down", owner, {"interface": interface.name, "owner": owner})
                if interface.peer_place and interface.peer_name:
                    return self._down(interface.peer_place, interface.peer_name)
        return None

    # ── what the probe itself was told ─────────────────────────────────────────────────────────────────────────────

    def _of_answer(self) -> Finding | None:
        """Explain an answer that was none: a reset, an error, a connection that was closed."""
        outcome, target = self.seen.outcome, self.seen.target
        for one in self.back:
            headers = one.headers
            if _tells_of_death(headers):
                return self._from_error(headers, one)
            if headers.protocol == TCP and "R" in headers.flags and outcome.stage == "connect":
                source = next(iter(one.sights())).headers.innermost
                return self._closed(_begin(one), source.source, source.source_port, "tcp")
        if outcome.stage == "answer" and outcome.errno and not outcome.silent:
            place = _begin(self.back[0]) if self.back else self.seen.place
            return Finding("cut-off", place, {"flag": target.protocol[0]})
        if outcome.errno == errno.ECONNREFUSED:
            place = self.facts.owner(outcome.address, self.seen.place) or self.seen.place
            return self._closed(place, outcome.address, target.port, target.protocol)
        return self._unsent(outcome.address, outcome.errno)

    def _closed(self, place: str, address: str, port: int, protocol: str) -> Finding:
        facts: dict[str, Any] = {"port": port, "protocol": protocol, "flag": protocol[0], "destination": address}
        bound = self.facts.sockets(place, protocol, port)
        if bound:
            return Finding("bound-elsewhere", place, {**facts, "bound": bound[0].address})
        return Finding("port-closed", place, facts)

    def _unsent(self, destination: str, number: int) -> Finding | None:
        """Explain a system call that failed at once."""
        place = self.seen.place
        if not number:
            return None
        if (refused := self.facts.refusing_route(place, destination)) is not None:
            return Finding("route-refuses", place, {"route": refused.destination, "kind": refused.kind})
        if destination.startswith("127.") and (found := self._down(place, "lo")) is not None:
            return found
        if number == errno.ENETUNREACH:
            state = self.facts.place(place)
            alone = not [one for one in (state.interfaces if state else ()) if one.kind != "loopback" and one.up]
            if alone and state is not None and len(state.interfaces) > 1:
                down = next(one.name for one in state.interfaces if one.kind != "loopback")
                return Finding("link-down", place, {"interface": down, "owner": place})
            return Finding("no-interface" if alone else "no-route", place, {"destination": destination})
        if number == errno.EHOSTUNREACH and (found := self._unanswered(place)) is not None:
            return found
        return Finding("not-sent", place, {"words": os.strerror(number), "destination": destination})

    def _of_silence(self) -> Finding:
        """Explain that everything that was sent arrived, and nothing came back."""
        seen = self.seen
        if not self.there:
            found = self._unanswered(seen.place)
            return found or Finding("lost", seen.place, {"interface": "?"})
        place, headers = _end(self.there[-1])
        if not self.facts.way(place, headers.source).leads_on:
            return Finding("no-route", place, {"destination": headers.source})
        unanswered = self._unanswered(place)
        return unanswered or Finding("no-answer", place, {"flag": seen.target.protocol[0]})


def _end(passage: Passage) -> tuple[str, Headers]:
    """Return where a packet was last seen, and as what."""
    last = list(passage.sights())[-1]
    return last.place, last.headers.innermost


def _tells_of_death(headers: Headers) -> bool:
    """Whether it is an ICMP error and not a redirect: that one names a shorter way, and the packet was sent on (RFC 792)."""
    return headers.is_error and (headers.protocol, headers.kind) != (ICMP, _REDIRECT)


def _begin(passage: Passage) -> str:
    return next(iter(passage.sights())).place
