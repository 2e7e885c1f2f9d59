"""The engine's rules on a host as the kernel has them, each beside the iptables line that means the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netlab.drivers.rules import TABLE, HostRule
from netlab.language import say
from netlab.model import Rule


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in both languages.

    `iptables` has a line for a shell, or several with `;` between them. It is a comment where iptables needs no line (nft's
    maps do what it does by the order of its chains), and empty for rules that the engine has not made.
    """

    chain: str
    text: str
    iptables: str
    comment: str


def beside(found: Iterable[Rule], known: Iterable[HostRule]) -> list[RuleLine]:
    """Return the rules that were found in the engine's tables, in their order, with the lines of those that are known."""
    none = say(en="# iptables needs no line for this", ja="# iptables では、この行は不要")
    lines = {
        (rule.family, rule.chain, rule.nft_text): "; ".join(rule.iptables_line.splitlines()) or none for rule in known
    }
    return [
        RuleLine(one.chain, one.text, lines.get((one.family, one.chain, one.text), ""), one.comment or "")
        for one in found
        if one.table == TABLE
    ]
