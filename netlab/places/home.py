"""What a place needs of the lab that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from netlab.ops import Operation
from netlab.world import World


class Home(Protocol):
    """A lab, as its places see it. The world is asked for each time: a reset puts another one in its place."""

    name: str
    world: World

    def change(self, title: str, operations: Sequence[Operation]) -> None:
        """Apply operations, all or none, and note them in the history; raises KernelRefused."""
