"""The commands behind a change, to read and to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from netlab.ops import HOST, Operation

Change = tuple[str, Sequence[Operation]]


def _typed(operations: Iterable[Operation], hosts: Sequence[str]) -> Iterator[str]:
    """Yield commands; those in a container stand behind the one that made it, on the same host."""
    where = hosts[0] if hosts else HOST
    for operation in operations:
        beside = operation.place.partition("@")[2] or operation.place
        if beside in hosts and beside != where:
            where = beside
            yield f"# on {where}"
        yield operation.command(where)


class Commands(Sequence[str]):
    """The exact `ip`, `bridge`, `nft` and `sysctl` lines of some changes, as typed on the host that each is about.

    The first of `hosts` is meant where nothing else is said; a comment says when it is another one's turn.
    """

    def __init__(self, changes: Iterable[Change], hosts: Sequence[str] = (HOST,)) -> None:
        self._changes = [(title, list(_typed(operations, hosts))) for title, operations in changes]
        self._lines = [line for _, lines in self._changes for line in lines]

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # a slice of commands is of no use to anyone
        return self._lines[index]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __repr__(self) -> str:
        if len(self._changes) == 1:
            return "\n".join(self._lines)
        return "\n".join(f"# {title}\n" + "\n".join(lines) for title, lines in self._changes)

    def _repr_html_(self) -> str:
        style = (
            "margin:0;padding:.4em .8em;border-left:3px solid #2563eb;white-space:pre-wrap;line-height:1.5;"
            "word-break:normal;overflow-wrap:anywhere;"  # JupyterLab breaks lines in the middle of a word
            "font-family:var(--jp-code-font-family,monospace)"
        )
        return f'<pre style="{style}">{escape(repr(self))}</pre>'
