"""What nftables rules do to a packet, worked out from `nft -j list ruleset` (libnftables-json(5)).

An expression that is not understood makes the result uncertain, unless it would be the same either way. Nothing here asks
the kernel: what a rule wants to know of the place stands in a Context.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from netlab.why.expressions import (
    Context,
    NotUnderstood,
    bits,
    connection,
    lookup,
    meta,
    order,
    payload,
    plain,
    several,
)

Expression = Any  # a piece of JSON
_MOST_UNKNOWN = 8  # rules that are not understood, until all is said to be uncertain
_HARMLESS = {"limit", "counter", "log", "comment", "flow", "set", "ct helper", "ct timeout", "ct expectation", "map"}
_TRACKING = -200  # the priority at which conntrack looks at a packet (NF_IP_PRI_CONNTRACK)


@dataclass(frozen=True, slots=True)
class Translation:
    """What a rule does to an address: `kind` is dnat, snat, masquerade or redirect."""

    kind: str
    address: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class RuleId:
    """Which rule it is; `handle` is None for a chain's policy."""

    family: str
    table: str
    chain: str
    handle: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a packet in one base chain. `unsure` are the rules that were not understood and matter."""

    word: Literal["accept", "drop", "reject", "continue"]
    rule: RuleId | None = None
    translation: Translation | None = None
    mark: int | None = None
    unsure: tuple[RuleId, ...] = ()

    @property
    def passes(self) -> bool:
        return self.word in ("accept", "continue")


@dataclass(slots=True)
class Chain:
    """One chain with its rules, as JSON has them."""

    family: str
    table: str
    name: str
    kind: str | None = None
    hook: str | None = None
    priority: int = 0
    policy: str = "accept"
    rules: list[Mapping[str, Any]] = field(default_factory=list)


class Ruleset:
    """All rules of one place."""

    def __init__(self, listing: Mapping[str, Any]) -> None:
        """`listing` is what `nft -j list ruleset` prints."""
        self.chains: dict[tuple[str, str, str], Chain] = {}
        self._elements: dict[tuple[str, str, str], list[Expression]] = {}
        asleep: set[tuple[str, str]] = set()
        for entry in listing.get("nftables", ()):
            ((kind, one),) = entry.items()
            if kind == "table" and "dormant" in several(one.get("flags")):
                asleep.add((one["family"], one["name"]))
            elif kind == "chain":
                chain = Chain(one["family"], one["table"], one["name"], one.get("type"), one.get("hook"))
                chain.priority, chain.policy = int(one.get("prio", 0)), one.get("policy", "accept")
                if (chain.family, chain.table) not in asleep or chain.hook is None:
                    self.chains[chain.family, chain.table, chain.name] = chain
            elif kind in ("set", "map"):
                self._elements[one["family"], one["table"], one["name"]] = one.get("elem", [])
            elif kind == "rule":
                home = self.chains.get((one["family"], one["table"], one["chain"]))
                if home is not None:
                    home.rules.append(one)

    def at(self, hook: str, version: int) -> list[Chain]:
        """Return the base chains at a hook for packets of an IP version, in the order in which the kernel runs them."""
        families = ("inet", "ip6" if version == 6 else "ip")
        found = [one for one in self.chains.values() if one.hook == hook and one.family in families]
        return sorted(found, key=lambda one: one.priority)

    @property
    def strangers(self) -> list[Chain]:
        """Base chains that look at frames, of which this module knows nothing (families bridge, netdev and arp)."""
        return [
            one for one in self.chains.values() if one.hook and one.family in ("bridge", "netdev", "arp") and one.rules
        ]

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, chain: Chain, context: Context) -> Verdict:
        """Return what becomes of a packet in a base chain and those that it leads to."""
        self._unknown = 0
        verdict = self._from(chain, 0, context, 0)
        if verdict.word == "continue":
            word: Literal["accept", "drop"] = "drop" if chain.policy == "drop" else "accept"
            return replace(verdict, word=word, rule=RuleId(chain.family, chain.table, chain.name, None))
        return verdict

    def _from(self, chain: Chain, start: int, context: Context, depth: int) -> Verdict:
        """Run a chain from a rule on; "continue" is the end of the chain."""
        if depth > 16:
            return Verdict("drop")  # the kernel refuses such rules
        for at, rule in enumerate(chain.rules[start:], start=start):
            who = RuleId(chain.family, chain.table, chain.name, rule.get("handle"))
            try:
                found = self._rule(rule, who, context, depth)
            except NotUnderstood:
                return self._either(chain, at, who, context, depth)
            if found is None:
                continue
            if found.mark is not None and found.word == "continue":
                context = replace(context, packet=replace(context.packet, mark=found.mark))
                continue
            if found.word == "continue" and found.rule == who:  # return
                return replace(found, rule=None)
            if found.word != "continue" or found.unsure:
                return (
                    found
                    if found.word != "continue"
                    else self._joined(found, self._from(chain, at + 1, context, depth))
                )
        return Verdict("continue")

    def _either(self, chain: Chain, at: int, who: RuleId, context: Context, depth: int) -> Verdict:
        """Try a rule that is not understood both ways; the result is unsure when they differ."""
        self._unknown += 1
        skipped = self._from(chain, at + 1, context, depth)
        if self._unknown > _MOST_UNKNOWN:
            return replace(skipped, unsure=(*skipped.unsure, who))
        known = [one for one in chain.rules[at]["expr"] if _verdict_like(one)]
        try:
            taken = self._rule({**chain.rules[at], "expr": known}, who, context, depth)
        except NotUnderstood:
            return replace(skipped, unsure=(*skipped.unsure, who))
        if taken is None or taken.word == "continue":
            taken = self._from(chain, at + 1, context, depth) if known else None
        base = ("drop" if chain.policy == "drop" else "accept") if chain.hook else None
        words = {base if one.word == "continue" and base else one.word for one in (skipped, taken) if one}
        same = taken is not None and len(words) == 1 and taken.translation == skipped.translation
        return skipped if same else replace(skipped, unsure=(*skipped.unsure, who))

    @staticmethod
    def _joined(first: Verdict, then: Verdict) -> Verdict:
        return replace(then, unsure=(*first.unsure, *then.unsure))

    def _rule(self, rule: Mapping[str, Any], who: RuleId, context: Context, depth: int) -> Verdict | None:
        """Return what a rule does; None when it does not match or only looks."""
        marked: int | None = None
        for one in rule["expr"]:
            ((word, content),) = one.items()
            if word == "match":
                if not self._matches(content, who, context):
                    return None
            elif word == "vmap":
                target = self._looked_up(content, who, context)
                return self._verdict(target, who, context, depth) if target is not None else None
            elif word == "mangle":
                marked = self._mark(content, who, context)
            elif word == "limit" and content.get("inv"):
                return None  # a first packet is never over the limit
            elif word == "xt":
                if (found := _extension(content, who)) is not None:
                    return found
            elif word not in _HARMLESS:
                return self._verdict(one, who, context, depth)
        return Verdict("continue", None, mark=marked) if marked is not None else None

    def _verdict(self, one: Expression, who: RuleId, context: Context, depth: int) -> Verdict | None:
        ((word, content),) = one.items()
        if word in ("accept", "drop"):
            return Verdict(word, who)
        if word == "reject":
            return Verdict("reject", who)
        if word in ("return", "continue"):
            return Verdict("continue", who) if word == "return" else None
        if word in ("jump", "goto"):
            chain = self.chains.get((who.family, who.table, content["target"]))
            if chain is None:
                return None
            found = self._from(chain, 0, context, depth + 1)
            if found.word == "continue" and word == "goto":
                return replace(found, rule=who)
            return found if found.word != "continue" or found.unsure else None
        if word in ("dnat", "snat", "masquerade", "redirect"):
            content = content or {}
            address, port = content.get("addr"), content.get("port")
            address = self._value(address, who, context) if isinstance(address, dict) else address
            port = self._value(port, who, context) if isinstance(port, dict) else port
            if isinstance(address, tuple):  # a map from something to address . port
                address, port = address
            return Verdict("accept", who, Translation(word, address, int(port) if port is not None else None))
        if word == "notrack":
            return None
        raise NotUnderstood(word)

    # ── matching ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _matches(self, match: Mapping[str, Any], who: RuleId, context: Context) -> bool:
        left = self._value(match["left"], who, context)
        if left is None:
            return False  # the packet has no such header
        op, right = match["op"], match["right"]
        if op in ("==", "in", "!="):
            return bool(self._is(left, right, who, context) != (op == "!="))
        other = self._value(right, who, context)
        one, other = order(left), order(other)
        return bool({"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[op])

    def _is(self, value: Any, wanted: Expression, who: RuleId, context: Context) -> bool:
        if isinstance(wanted, str) and wanted.startswith("@"):
            return any(self._is(value, one, who, context) for one in self._named(wanted, who))
        if isinstance(wanted, dict):
            return self._is_one_of(value, wanted, who, context)
        if isinstance(wanted, list):
            return any(self._is(value, one, who, context) for one in wanted)
        if isinstance(value, frozenset):
            return wanted in value
        if isinstance(value, str) and isinstance(wanted, str) and wanted.endswith("*"):
            return value.startswith(wanted[:-1])
        return bool(plain(value) == plain(wanted))

    def _is_one_of(self, value: Any, wanted: Mapping[str, Any], who: RuleId, context: Context) -> bool:
        """Whether a value is in a set, a subnet or a range."""
        ((kind, content),) = wanted.items()
        if kind == "set":
            return any(self._is(value, one, who, context) for one in several(content))
        if kind == "prefix":
            return ipaddress.ip_address(value) in ipaddress.ip_network(f"{content['addr']}/{content['len']}")
        if kind == "range":
            return bool(order(content[0]) <= order(value) <= order(content[1]))
        if kind == "elem":
            return self._is(value, content["val"], who, context)
        if kind == "concat":
            parts = zip(value, content, strict=False) if isinstance(value, tuple) and len(value) == len(content) else ()
            return bool(parts) and all(self._is(one, other, who, context) for one, other in parts)
        return self._is(value, self._value(wanted, who, context), who, context)

    def _named(self, name: str, who: RuleId) -> list[Expression]:
        return self._elements.get((who.family, who.table, name.removeprefix("@")), [])

    def _looked_up(self, one: Mapping[str, Any], who: RuleId, context: Context) -> Expression | None:
        """Return what a map has for a key, or None."""
        value = self._value(one["key"], who, context)
        data = one["data"]
        pairs = self._named(data, who) if isinstance(data, str) else several(data.get("set"))
        if value is None:
            return None
        return next((target for key, target in pairs if self._is(value, key, who, context)), None)

    def _mark(self, content: Mapping[str, Any], who: RuleId, context: Context) -> int | None:
        key = content["key"]
        if key == {"meta": {"key": "mark"}}:
            return int(self._value(content["value"], who, context))
        if "ct" in key or key == {"meta": {"key": "nftrace"}}:
            return None
        raise NotUnderstood("mangle")

    def _value(self, one: Expression, who: RuleId, context: Context) -> Any:
        """Return what an expression means for the packet; None where it has no such header."""
        if not isinstance(one, dict):
            return one
        ((kind, content),) = one.items()
        if kind == "payload":
            return payload(content, context)
        if kind == "meta":
            return meta(content["key"], context)
        if kind == "ct":
            return connection(content["key"], context)
        if kind == "fib":
            return lookup(content, context)
        if kind == "concat":
            values = tuple(self._value(part, who, context) for part in content)
            return None if None in values else values
        if kind == "map":
            return self._value(self._looked_up(content, who, context), who, context)
        if kind in ("&", "|"):
            parts = [bits(self._value(part, who, context)) for part in content]
            result = parts[0]
            for part in parts[1:]:
                result = result & part if kind == "&" else result | part
            return result
        raise NotUnderstood(kind)


def _extension(content: Mapping[str, Any] | None, who: RuleId) -> Verdict | None:
    """Return what an extension of iptables does, as far as its name alone tells; None when it is no obstacle."""
    kind, name = (content or {}).get("type"), (content or {}).get("name")
    if (kind, name) in (("match", "comment"), ("target", "LOG"), ("target", "NFLOG")):
        return None
    if (kind, name) == ("target", "MASQUERADE"):
        return Verdict("accept", who, Translation("masquerade"))
    if (kind, name) == ("target", "REJECT"):
        return Verdict("reject", who)
    raise NotUnderstood(f"xt {name}")


def _verdict_like(one: Mapping[str, Any]) -> bool:
    (word,) = one
    return word in ("accept", "drop", "reject", "return", "jump", "goto", "dnat", "snat", "masquerade", "redirect") or (
        word == "xt" and (one[word] or {}).get("type") == "target"
    )


def steps(chains: Sequence[Chain]) -> Iterator[tuple[int, Chain]]:
    """Yield base chains with the priority at which they run: those of kind nat all run where translation happens."""
    source = ("postrouting", "input")
    for one in chains:
        yield ((100 if one.hook in source else -100) if one.kind == "nat" else one.priority), one


def before_tracking(priority: int) -> bool:
    """Whether a chain sees the packet before conntrack does."""
    return priority <= _TRACKING
