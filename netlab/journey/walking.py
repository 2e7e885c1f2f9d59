"""Walking along with one packet: from what was seen of it to steps."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from netlab.capture.headers import ARP, TCP, UDP, Headers
from netlab.capture.packet import Packet
from netlab.journey.facts import Facts
from netlab.journey.gathering import Observation
from netlab.journey.joining import Passage, Run, connections
from netlab.journey.steps import JAPANESE_FIELDS, Change, Evidence, Kind, Leg, Met, Step, Way, changes
from netlab.kernel.netfilter import Connection, TraceEvent

_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58}


@dataclass(slots=True)
class Walk:
    """One packet's way, step by step."""

    seen: Observation
    facts: Facts
    passage: Passage
    way: Way
    leg: Leg

    def steps(self) -> Iterator[Step]:
        """Yield the steps in order."""
        before: Packet | Run | None = None
        capture: Packet | None = None  # the last one
        entered: Headers | None = None  # as it came into the place
        for sight in self.passage.sights():
            if before is not None and sight.place != before.place:
                yield from self._noted(before.place, entered)
                entered = None
            entered = entered or sight.headers
            yield from self._translated(before, sight)
            if isinstance(sight, Run):
                yield from self._through_chains(sight, before)
            else:
                yield from self._over_interface(sight, before, capture)
                capture = sight
            before = sight
        if before is not None:
            yield from self._noted(before.place, entered)
            yield from self._delivered(before)

    # ── interfaces ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _over_interface(self, at: Packet, before: Packet | Run | None, capture: Packet | None) -> Iterator[Step]:
        same_place = capture is not None and capture.place == at.place
        if at.outgoing:
            yield from self._asked_neighbour(at)
            if capture is not None and same_place and isinstance(before, Packet | Run):
                yield from self._bridged(at, capture)
        if at.headers.network is not None and (capture is None or capture.headers.network is None):
            yield self._encapsulated(at)
        elif at.headers.network is None and capture is not None and capture.headers.network is not None:
            network = capture.headers.network
            yield self._step(
                at.place,
                "decapsulate",
                f"{at.interface} unwraps it: the frame that came inside VXLAN {network}",
                f"{at.interface} が VXLAN {network} の中身のフレームを取り出します",
                "captured",
                f"ip -d link show {at.interface}",
                packet=at,
            )
        differ = changes(capture.headers if capture else None, at.headers)
        kind = self._kind(at)
        if at.outgoing:
            english, japanese = f"leaves by {at.interface}{kind}", f"{at.interface}{kind} から出ます"
        elif capture is not None and same_place and not capture.outgoing and self._port_of(capture) == at.interface:
            english = f"bridge {at.interface} hands it up: the frame is for its own address"
            japanese = f"ブリッジ {at.interface} が上位に渡します (フレームの宛先がブリッジ自身の MAC アドレス)"
        else:
            english, japanese = f"comes in by {at.interface}{kind}", f"{at.interface}{kind} に届きます"
        yield self._step(
            at.place,
            "out" if at.outgoing else "in",
            english,
            japanese,
            "captured",
            f"tcpdump -n -i {at.interface} {_filter(at.headers)}",
            packet=at,
            differ=differ,
        )

    def _kind(self, at: Packet) -> str:
        interface = self.facts.interface(at.place, at.interface)
        return f" ({interface.kind})" if interface and interface.kind not in ("loopback", "ethernet") else ""

    def _port_of(self, at: Packet) -> str | None:
        interface = self.facts.interface(at.place, at.interface)
        return interface.master if interface else None

    def _bridged(self, at: Packet, capture: Packet) -> Iterator[Step]:
        """Tell of a bridge that passed the frame from one port, or from itself, to another."""
        bridge = self._port_of(at)
        came_by = self._port_of(capture) if not capture.outgoing else capture.interface
        if bridge is None or came_by != bridge:
            return
        mac = at.headers.destination_mac
        known = self.facts.forwarding_port(at.place, bridge, mac)
        evidence: Evidence = "asked" if known == at.interface else "captured"
        english = f"bridge {bridge} knows {mac} behind {at.interface}"
        japanese = f"ブリッジ {bridge} は {mac} が {at.interface} の先にあると知っています (FDB)"
        if known != at.interface:
            english = f"bridge {bridge} does not know {mac}, so it sends to all ports, {at.interface} too"
            japanese = f"ブリッジ {bridge} は {mac} を知らないので、{at.interface} を含む全ポートに送ります"
        command = f"bridge fdb get {mac} br {bridge}" if known else f"bridge fdb show br {bridge}"
        yield self._step(at.place, "bridge", english, japanese, evidence, command, packet=at, interface=bridge)

    def _encapsulated(self, at: Packet) -> Step:
        outer = at.headers
        return self._step(
            at.place,
            "encapsulate",
            f"the whole frame travels inside UDP, from {outer.source} to {outer.destination}: VXLAN {outer.network}",
            f"フレーム全体が UDP で {outer.source} から {outer.destination} へ運ばれます: VXLAN {outer.network}",
            "captured",
            f"tcpdump -n -i {at.interface} udp port {outer.destination_port}",
            packet=at,
            differ=(Change("outer", "", f"{outer.source} → {outer.destination} VXLAN {outer.network}"),),
        )

    def _asked_neighbour(self, at: Packet) -> Iterator[Step]:
        """Tell of the ARP question that went out on the same interface just before, and of its answer."""
        if self._port_of(at) is not None:
            return  # a port only passes on what others ask
        asked = [
            one
            for one in self.seen.packets
            if one.headers.protocol == ARP and (one.place, one.index) == (at.place, at.index)
            and one.nanoseconds <= at.nanoseconds
        ]  # fmt: skip
        for one in asked:
            question = one.headers
            if not one.outgoing or question.kind != 1 or not self.facts.has(at.place, question.source):
                continue
            replies = [other.headers for other in asked if other.headers.kind == 2]
            answer = next((reply for reply in replies if reply.source == question.destination), None)
            if answer is not None and answer.payload.hex(":") == at.headers.destination_mac:
                target, mac = question.destination, answer.payload.hex(":")
                yield self._step(
                    at.place,
                    "arp",
                    f"asks on {at.interface} who has {target}: {mac}",
                    f"{at.interface} で {target} の MAC アドレスを問い合わせます (ARP): {mac}",
                    "captured",
                    f"ip neigh show {target}",
                    packet=one,
                )
                return

    # ── chains ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _through_chains(self, run: Run, before: Packet | Run | None) -> Iterator[Step]:
        hook = run.events[0].chain
        if not run.ours:
            yield self._rules(run)
        elif hook == "output" and before is None:
            yield from self._begins(run)
        elif hook == "forward" and run.incoming != run.outgoing:
            yield self._routed(run)

    def _begins(self, run: Run) -> Iterator[Step]:
        headers, place = run.headers, run.place
        way = self.facts.way(place, headers.destination, headers.source)
        via = f" via {way.gateway}" if way.gateway else ""
        interface = self.facts.named(place, run.outgoing)
        yield self._step(
            place,
            "route",
            f"route chosen to {headers.destination}: {way.prefix or '?'}{via} dev {interface}",
            f"{headers.destination} への経路を選択: {way.prefix or '?'}{via} dev {interface}",
            "traced",
            f"ip route get {headers.destination}",
            interface=interface,
            headers=headers,
        )

    def _routed(self, run: Run) -> Step:
        headers, place = run.headers, run.place
        incoming, outgoing = self.facts.named(place, run.incoming), self.facts.named(place, run.outgoing)
        way = self.facts.way(place, headers.destination, headers.source, run.incoming)
        via = f" via {way.gateway}" if way.gateway else ""
        return self._step(
            place,
            "route",
            f"not for this place, passed on to {headers.destination}: {way.prefix or '?'}{via} dev {outgoing}",
            f"自分宛てではないので {headers.destination} へ転送: {way.prefix or '?'}{via} dev {outgoing}",
            "traced",
            f"ip route get {headers.destination} from {headers.source} iif {incoming}",
            interface=outgoing,
            headers=headers,
        )

    def _rules(self, run: Run) -> Step:
        base = self.facts.chain(run.place, run.events[0])
        met = tuple(self._met(run.place, event) for event in run.events)
        last = met[-1]
        hook = f"{base.hook} " if base and base.hook else ""
        words = last.text or "policy"
        comment = f" [{last.comment}]" if last.comment else ""
        dropped = run.dropped is not None
        name = run.events[0].chain
        through = "" if last.chain == name else f" → {last.chain}"
        verdict = last.verdict if last.verdict != "continue" else "accept"
        return self._step(
            run.place,
            "rules",
            f"{hook}chain {name}{through}: {words}{comment} → {verdict.upper() if dropped else verdict}",
            f"{hook}チェーン {name}{through}: {words}{comment} → {verdict.upper() if dropped else verdict}",
            "traced",
            shlex.join(
                ["nft", "--handle", "list", "chain", base.family if base else last.family, last.table, last.chain]
            ),
            headers=run.headers,
            rules=met,
        )

    def _met(self, place: str, event: TraceEvent) -> Met:
        rule, chain = self.facts.rule(place, event), self.facts.chain(place, event)
        family = chain.family if chain else event.family
        verdict = f"{event.verdict} {event.target}" if event.target else event.verdict
        if rule is None:
            return Met(family, event.table, event.chain, event.handle, "", None, verdict)
        line = self.facts.iptables(place, rule)
        return Met(family, event.table, event.chain, event.handle, rule.text, rule.comment, verdict, line)

    # ── translation ────────────────────────────────────────────────────────────────────────────────────────────────

    def _translated(self, before: Packet | Run | None, now: Packet | Run) -> Iterator[Step]:
        if before is None or before.place != now.place:
            return
        old, new = before.headers.innermost, now.headers.innermost
        differ = tuple(one for one in changes(old, new) if "MAC" not in one.field and one.field != "TTL")
        if not differ or old.is_error:
            return
        rule = self._translating_rule(before) if isinstance(before, Run) else None
        english = "; ".join(f"{one.field} {one.before} → {one.after}" for one in differ)
        japanese = "、".join(f"{JAPANESE_FIELDS[one.field]} {one.before} → {one.after}" for one in differ)
        by_rule = f" ({rule.comment or rule.text})" if rule else ""
        english = f"translates: {english}{by_rule}"
        japanese = f"アドレス変換 (NAT): {japanese}{by_rule}"
        if not rule:
            english += " (an answer, translated back by conntrack)" if self.way == "back" else ""
            japanese += " (応答なので conntrack が元に戻します)" if self.way == "back" else ""
        yield self._step(
            now.place,
            "nat",
            english,
            japanese,
            "captured" if isinstance(now, Packet) else "traced",
            f"conntrack -L -p {new.protocol} -d {old.destination}",
            packet=now if isinstance(now, Packet) else None,
            headers=new,
            differ=differ,
            rules=(rule,) if rule else (),
        )

    def _translating_rule(self, run: Run) -> Met | None:
        met = [self._met(run.place, event) for event in self._last_foreign(run).events]
        words = ("dnat", "snat", "masquerade", "redirect", "DNAT", "MASQUERADE", "SNAT", "REDIRECT")
        return next((one for one in reversed(met) if any(word in one.text for word in words)), None)

    def _last_foreign(self, run: Run) -> Run:
        """Return the run itself, or the one before it in the place if it is of a chain that only watches."""
        earlier = [
            one for one in self.passage.runs if one.place == run.place and one.order <= run.order and not one.ours
        ]
        return earlier[-1] if run.ours and earlier else run

    def _noted(self, place: str, entered: Headers | None) -> Iterator[Step]:
        """Tell of the connection that conntrack noted when the packet passed a place."""
        if entered is None or self.way == "back":
            return
        for one in connections(self.seen, place):
            if not _is_about(one, entered.innermost):
                continue
            there = one.original
            english = f"conntrack notes {_flow(one, answer=False)}, answer {_flow(one, answer=True)}"
            japanese = f"conntrack が {_flow(one, answer=False)}、応答 {_flow(one, answer=True)} を記録します"
            port = f" --orig-port-src {there.source_port}" if there.protocol in (6, 17) else ""
            name = next((name for name, number in _NUMBERS.items() if number == there.protocol), str(there.protocol))
            command = f"conntrack -L -p {name} --orig-src {there.source} --orig-dst {there.destination}{port}"
            yield self._step(place, "conntrack", english, japanese, "noted", command, connection=one)
            return

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _delivered(self, last: Packet | Run) -> Iterator[Step]:
        untraced = not self.passage.runs and isinstance(last, Packet) and not last.outgoing
        if not arrived(self.passage) and not (untraced and self.facts.has(last.place, last.headers.destination)):
            return
        headers, place = last.headers.innermost, last.place
        evidence: Evidence = "traced" if isinstance(last, Run) else "inferred"
        if headers.protocol not in (TCP, UDP):
            yield self._step(
                place, "deliver", f"arrives at {place}: handed to the kernel of {place}",
                f"{place} に到着: {place} のカーネルに渡されます", evidence, "nstat -az 'Icmp*'", headers=headers,
            )  # fmt: skip
            return
        at = self.facts.listener(place, headers.protocol, headers.destination, headers.destination_port)
        if self.way == "back" or (at is None and self._is_probe(place, headers)):
            yield self._step(
                place, "deliver", f"arrives: handed to the socket that asked, port {headers.destination_port}",
                f"到着: 問い合わせ元のソケット (ポート {headers.destination_port}) に渡されます", evidence,
                f"ss -{headers.protocol[0]}n", headers=headers,
            )  # fmt: skip
            return
        where = f"{headers.destination_port}/{headers.protocol}"
        who = f" ({at.process})" if at is not None and at.process else ""
        english = f"arrives: port {where} of {place}{who}" if at else f"arrives: nothing listens on port {where}"
        japanese = (
            f"到着: {place} の {where} 番ポート{who}"
            if at
            else f"到着: {where} 番ポートで待ち受けているものがありません"
        )
        command = f"ss -{headers.protocol[0]}lnp 'sport = :{headers.destination_port}'"
        yield self._step(place, "deliver", english, japanese, evidence, command, headers=headers)

    def _is_probe(self, place: str, headers: Headers) -> bool:
        outcome = self.seen.outcome
        return place == self.seen.place and headers.destination_port == outcome.port

    def _step(  # noqa: PLR0917 - those of every step, in the order of reading
        self,
        place: str,
        kind: Kind,
        english: str,
        japanese: str,
        evidence: Evidence,
        command: str,
        *,
        packet: Packet | None = None,
        interface: str | None = None,
        headers: Headers | None = None,
        differ: tuple[Change, ...] = (),
        rules: tuple[Met, ...] = (),
        connection: Connection | None = None,
    ) -> Step:
        at = interface if interface is not None else packet.interface if packet else ""
        shown = headers or (packet.headers.innermost if packet else None)
        return Step(
            self.way, self.leg, place, kind, english, japanese, evidence, command, at, packet, shown, differ, rules, connection
        )  # fmt: skip


def arrived(passage: Passage) -> bool:
    """Whether the packet was handed to the place where it was last seen: netfilter reported it at `input`, and no drop."""
    last: Packet | Run | None = None
    into: Run | None = None
    for sight in passage.sights():
        if isinstance(sight, Run):
            into = sight if sight.ours and sight.events[0].chain == "input" else into
            if sight.dropped:
                return False
        elif into is not None:
            into = None
        last = sight
    return into is not None and last is not None and last.place == into.place


def _filter(headers: Headers) -> str:
    found = headers.innermost
    if headers.network is not None:
        return f"udp port {headers.destination_port}"
    if found.protocol in (TCP, UDP):
        return f"{found.protocol} port {found.destination_port}"
    return found.protocol


def _flow(one: Connection, *, answer: bool) -> str:
    flow = one.reply if answer else one.original
    if flow.protocol not in (6, 17):
        return f"{flow.source} → {flow.destination} id {flow.source_port}"
    return f"{flow.source}:{flow.source_port} → {flow.destination}:{flow.destination_port}"


def _is_about(one: Connection, headers: Headers) -> bool:
    flow = one.original
    return (
        (flow.source, flow.destination) == (headers.source, headers.destination)
        and flow.protocol == _NUMBERS.get(headers.protocol)
        and flow.source_port == (headers.source_port or headers.echo)
    )
