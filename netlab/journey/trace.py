"""Tracing: send a probe, and tell its journey."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netlab.journey.facts import Facts
from netlab.journey.gathering import gather
from netlab.journey.joining import runs_of
from netlab.journey.journey import Journey
from netlab.journey.target import parse
from netlab.model import Snapshot
from netlab.world import World

TIMEOUT = 1.5


def trace(
    world: World,
    look: Callable[[], Snapshot],
    iptables: Callable[[str], Mapping[tuple[str, str], str]],
    *,
    place: str,
    target: str,
    timeout: float = TIMEOUT,
) -> Journey:
    """Send a real probe from a place and return its journey.

    `look` is how a snapshot of the lab is taken; `iptables` gives the lines of a host's rules, by chain and nft's text.
    """
    seen = gather(world, place, parse(target), timeout)
    ruled = {run.place for run in runs_of(seen) if not run.ours}
    return Journey(seen, Facts(world, look(), ruled, iptables))
