"""Reading nftables rules from the words of `nft --handle --numeric-priority list ruleset`."""

from __future__ import annotations

import re

from netlab.model import Chain, Rule

_TABLE = re.compile(r"^table (\S+) (\S+) \{")
_CHAIN = re.compile(r"^\tchain (\S+) \{")
_BASE = re.compile(r"type (\S+) hook (\S+)(?: device \S+)? priority ([^;]+);(?: policy (\S+);)?")
_RULE = re.compile(r"^(.*?) ?# handle (\d+)$")
_COMMENT = re.compile(r' comment "([^"]*)"')
_COUNTER = re.compile(r"counter packets (\d+) bytes \d+")


def parse(listing: str) -> list[Chain]:
    """Return the chains and rules of a listing, in its order; sets and maps are left out."""
    chains: list[Chain] = []
    family = table = ""
    current: dict[str, object] | None = None
    rules: list[Rule] = []
    for line in listing.splitlines():
        if match := _TABLE.match(line):
            family, table = match.groups()
        elif match := _CHAIN.match(line):
            current = {"name": match.group(1)}
            rules = []
        elif current is not None and line.startswith("\t}"):
            chains.append(Chain(family, table, rules=tuple(rules), **current))  # type: ignore[arg-type]
            current = None
        elif current is not None and (match := _BASE.search(line)):
            kind, hook, priority, policy = match.groups()
            current.update(kind=kind, hook=hook, priority=_number(priority), policy=policy)
        elif current is not None and (match := _RULE.match(line.strip())):
            text, handle = match.groups()
            rules.append(_rule(family, table, str(current["name"]), text, int(handle)))
    return chains


def _number(priority: str) -> int | None:
    try:
        return int(priority)
    except ValueError:
        return _PRIORITIES.get(priority.strip())


_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}


def _rule(family: str, table: str, chain: str, text: str, handle: int) -> Rule:
    comment = _COMMENT.search(text)
    counter = _COUNTER.search(text)
    return Rule(
        family,
        table,
        chain,
        handle,
        text=_COUNTER.sub("counter", _COMMENT.sub("", text)).strip(),
        comment=comment.group(1) if comment else None,
        packets=int(counter.group(1)) if counter else None,
    )
