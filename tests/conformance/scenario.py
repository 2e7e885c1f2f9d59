"""Scenarios: what is done on both engines, and what is seen there, row by row of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from world import World

Function = Callable[[World], Mapping[str, Any]]


@dataclass(frozen=True)
class Today:
    """What was seen where today's engine differs from the installed one; netlab has to do as today's."""

    seen: Any
    today: Any


@dataclass(frozen=True)
class Scenario:
    """One course of actions, and the rows that it is about."""

    name: str
    rows: tuple[str, ...]
    play: Function


SCENARIOS: list[Scenario] = []


def rows(*ids: str) -> Callable[[Function], Function]:
    """Declare a scenario about these rows. It returns what it saw, for each of them."""

    def note(function: Function) -> Function:
        SCENARIOS.append(Scenario(function.__name__, ids, function))
        return function

    return note
