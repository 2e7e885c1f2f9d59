"""A packet at a netfilter hook of a place: conntrack, translation, and each chain in the order of the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from netlab.drivers.rules import TABLE, USER_CHAIN
from netlab.reasons import Finding
from netlab.why.expressions import Context
from netlab.why.kernel import Kernel
from netlab.why.packet import Connections, Noted, Packet
from netlab.why.rules import Chain, RuleId, Translation, Verdict, before_tracking, steps
from netlab.why.trouble import Failed, Kind, Repair, Unsure

Tell = Callable[[Kind, str, str, str, str, str], None]  # kind, place, English, Japanese, command, evidence


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A hook of a place, and the interfaces that the packet comes in and goes out by."""

    place: str
    hook: str
    incoming: str
    outgoing: str


_SOURCE_HOOKS = ("postrouting", "input")
_NAT_PRIORITY = {"prerouting": -100, "output": -100, "postrouting": 100, "input": 100}


class Filters:
    """Runs packets through the rules of places; `tell` hears of each chain that had something to say."""

    def __init__(self, kernel: Kernel, tell: Tell) -> None:
        self._kernel = kernel
        self._tell = tell
        self._connections = Connections()
        self._current: dict[str, Noted | None] = {}  # the connection of the packet that is in a place now

    def run(
        self, place: str, hook: str, packet: Packet, incoming: str = "", outgoing: str = "", *, again: bool = False
    ) -> Packet:
        """Return the packet as it leaves the hook; raises Failed when a rule drops it, Unsure when that cannot be told.

        `again` is for what comes in by lo: conntrack knows it from its way out, and translates it no more.
        """
        place = self._kernel.place(place).name
        ruleset = self._kernel.ruleset(place)
        chains = ruleset.at(hook, packet.version)
        at = _Crossing(place, hook, incoming, outgoing)
        if not ruleset.chains:
            return packet
        entering = hook in ("prerouting", "output") and not again
        connection = self._connections.find(place, packet) if entering else self._current.get(place)
        plan = sorted([*steps(chains), (_NAT_PRIORITY.get(hook, 0), None)], key=lambda one: one[0])
        translated = again or hook not in _NAT_PRIORITY
        for priority, chain in plan:
            if connection is None and not before_tracking(priority) and entering:
                connection = self._note(place, packet)
            tracked = None if before_tracking(priority) else connection
            if chain is not None and chain.kind != "nat":
                self._filter(at, chain, packet, tracked)
            elif not translated:
                translated = True
                nat = [one for one in chains if one.kind == "nat"]
                packet = self._translate(at, nat, packet, connection)
        self._current[place] = connection
        return packet

    def _note(self, place: str, packet: Packet) -> Noted | None:
        """Have conntrack note a new connection; an answer to nothing it knows is none."""
        return None if packet.answer and packet.protocol != "udp" else self._connections.note(place, packet)

    # ── one chain ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, at: _Crossing, chain: Chain, packet: Packet, noted: Noted | None) -> Verdict:
        kernel, place = self._kernel, at.place
        state = "invalid" if noted is None else "established" if packet.answer else "new"
        translated = set()
        if noted is not None and noted.original.flow != noted.translated.flow:
            if noted.original.source != noted.translated.source:
                translated.add("snat")
            if noted.original.flow[2::2] != noted.translated.flow[2::2]:
                translated.add("dnat")

        def address_type(address: str) -> str:
            if kernel.has(place, address):
                return "local"
            return kernel.way(place, address).kind

        context = Context(packet, at.incoming, at.outgoing, state, frozenset(translated), address_type)
        verdict = kernel.ruleset(place).run(chain, context)
        if verdict.unsure:
            which = verdict.unsure[0]
            words, _ = kernel.rule_words(place, which)
            shown = f"{which.chain}: {words or f'handle {which.handle}'}"
            raise Unsure(
                "rules",
                place,
                f"A rule of {place} was not understood, and it matters: {shown}",
                f"{place} のルールのうち、結果を左右するものを解釈できませんでした: {shown}",
                f"nft --handle list chain {which.family} {which.table} {which.chain}",
            )
        return verdict

    def _filter(self, at: _Crossing, chain: Chain, packet: Packet, noted: Noted | None) -> None:
        verdict = self._ask(at, chain, packet, noted)
        if not verdict.passes:
            raise self._dropped(at.place, verdict)
        if verdict.rule is not None and verdict.rule.handle is not None:
            self._passed(at, verdict.rule, packet)

    def _dropped(self, place: str, verdict: Verdict) -> Failed:
        which = verdict.rule or RuleId("", "", "", None)
        facts: dict[str, object] = {"family": which.family, "table": which.table, "chain": which.chain}
        where = f"{which.family} {which.table} {which.chain}"
        if which.handle is None:
            return Failed("rules", Finding("policy-dropped", place, facts))
        words, comment = self._kernel.rule_words(place, which)
        facts |= {"rule": words, "comment": f', "{comment}"' if comment else "", "handle": which.handle}
        code = "rule-rejected" if verdict.word == "reject" else "rule-dropped"
        isolation = which.table == TABLE and which.chain != USER_CHAIN  # the engine's own, there on purpose
        repair = () if isolation else (Repair(place, f"nft delete rule {where} handle {which.handle}"),)
        return Failed("rules", Finding(code, place, facts), *repair)

    def _passed(self, at: _Crossing, which: RuleId, packet: Packet) -> None:
        place = at.place
        words, comment = self._kernel.rule_words(place, which)
        shown = f"{which.chain}: {words}" + (f" [{comment}]" if comment else "")
        self._tell(
            "rules",
            place,
            f"the {at.hook} rules let {packet} pass",
            f"{at.hook} のルールは {packet} を通します",
            f"nft --handle list chain {which.family} {which.table} {which.chain}",
            shown,
        )

    # ── translation ────────────────────────────────────────────────────────────────────────────────────────────────

    def _translate(self, at: _Crossing, chains: list[Chain], packet: Packet, noted: Noted | None) -> Packet:
        """Translate a packet as conntrack does: a first packet by the rules, an answer back to what was asked."""
        if noted is None:
            return packet
        if packet.answer:
            return self._translate_back(at, packet, noted)
        for chain in chains:
            verdict = self._ask(at, chain, packet, noted)
            if not verdict.passes:
                raise self._dropped(at.place, verdict)
            if verdict.translation is not None:
                changed = self._changed(at, packet, verdict.translation)
                noted.translated = changed
                if changed != packet and verdict.rule is not None:
                    self._told(at.place, packet, changed, verdict.rule)
                return changed
        noted.translated = packet
        return packet

    def _changed(self, at: _Crossing, packet: Packet, how: Translation) -> Packet:
        if how.kind == "dnat":
            return packet.with_destination(how.address or packet.destination, how.port or packet.destination_port)
        if how.kind == "redirect":
            address = self._own_address(at.place, at.incoming, packet) if at.incoming else _loopback(packet)
            return packet.with_destination(address, how.port or packet.destination_port)
        if how.kind == "snat":
            return packet.with_source(how.address or packet.source, how.port or packet.source_port)
        return packet.with_source(self._own_address(at.place, at.outgoing, packet), how.port or packet.source_port)

    def _own_address(self, place: str, interface: str, packet: Packet) -> str:
        """Return the address that masquerade gives: the first global one of the interface that a packet leaves by."""
        found = self._kernel.interface(place, interface)
        own = [one for one in (found.addresses if found else ()) if one.family == packet.version]
        return next((one.address for one in own if one.scope == "global"), packet.source)

    def _told(self, place: str, before: Packet, after: Packet, which: RuleId) -> None:
        words, comment = self._kernel.rule_words(place, which)
        self._tell(
            "nat",
            place,
            f"translated: {before} becomes {after}",
            f"アドレス変換 (NAT): {before} が {after} になります",
            f"nft --handle list chain {which.family} {which.table} {which.chain}",
            f"{which.chain}: {words}" + (f" [{comment}]" if comment else ""),
        )

    def _translate_back(self, at: _Crossing, packet: Packet, noted: Noted) -> Packet:
        asked, sent = noted.original, noted.translated
        if asked.flow == sent.flow:
            return packet
        if at.hook in _SOURCE_HOOKS:
            changed = packet.with_source(asked.destination, asked.destination_port)
        else:
            changed = packet.with_destination(asked.source, asked.source_port)
        if changed != packet:
            self._tell(
                "nat",
                at.place,
                f"conntrack translates the answer back: {packet} becomes {changed}",
                f"conntrack が応答を元に戻します: {packet} が {changed} になります",
                f"conntrack -L -p {packet.protocol}",
                "",
            )
        return changed


def _loopback(packet: Packet) -> str:
    return "::1" if packet.version == 6 else "127.0.0.1"


def without_mark(packet: Packet) -> Packet:
    """Return a packet as it leaves a place: marks stay behind."""
    return replace(packet, mark=0)
