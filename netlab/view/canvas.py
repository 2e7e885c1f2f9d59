"""What a drawing has so far: its lines, and where each interface stands in it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from netlab.view import labels as lb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netlab.view.scene import End


ARROW = "//arrow "


class Anchor(NamedTuple):
    """Where an edge can reach an interface: a node, and a cell of it unless the node is all there is."""

    node: str
    cell: str | None = None

    def at(self, side: str | None = None) -> str:
        """Return the end of an edge in dot, on one side (n, e, s, w) of the cell."""
        return ":".join([lb.quoted(self.node), *(part for part in (self.cell, side) if part)])


@dataclass
class Canvas:
    """Lines of dot, collected from top to bottom."""

    lines: list[str] = field(default_factory=list)
    anchors: dict[End, Anchor] = field(default_factory=dict)
    # The pairs (upper end, lower end) that decide who stands below whom; all other edges only follow.
    falling: dict[tuple[End, End], None] = field(default_factory=dict)
    # The boxes right below a bridge's first row of sockets, or an interface, from left to right.
    first_row: list[str] = field(default_factory=list)
    # The boxes that stand side by side in one row, because nothing else says where.
    rows: list[list[str]] = field(default_factory=list)
    _depth: int = 1

    def draw(self, text: str) -> None:
        """Add one statement."""
        self.lines.append("  " * self._depth + text)

    def edge(self, first: str, second: str, **values: object) -> None:
        """Add one edge between two ends that are written in dot already."""
        self.draw(f"{first} -> {second} [{lb.settings(**values)}]")

    def arrow(self, first: str, second: str, color: str) -> None:
        """Add an arrow from one node to the side of another, right over what is between.

        A comment for graphviz, which would lead it around everything: `netlab.view.arrows` draws it when all has its place.
        """
        self.draw(ARROW + json.dumps([first, second, color], ensure_ascii=False))

    def hidden_edge(self, upper: str, lower: str, **values: object) -> None:
        """Make `lower` stand below `upper`, or right of it in one row, without a line between them."""
        self.edge(lb.quoted(upper), lb.quoted(lower), style="invis", **values)

    @contextmanager
    def cluster(self, name: str, **values: object) -> Iterator[None]:
        """Put what follows into one frame."""
        self.draw(f"subgraph {lb.quoted('cluster/' + name)} {{")
        self._depth += 1
        self.draw(f"graph [{lb.settings(id=name, **values)}]")
        yield
        self._depth -= 1
        self.draw("}")

    def same_row(self, nodes: list[str]) -> None:
        """Let the nodes stand side by side, in this order."""
        self.rows.append(nodes)
        self.draw("{ rank=same; " + "; ".join(map(lb.quoted, nodes)) + " }")
        for left, right in pairwise(nodes):
            self.hidden_edge(left, right)
