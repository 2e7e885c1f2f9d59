"""The commands behind a change, to read and to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from netlab.ops import HOST, Operation

Change = tuple[str, Sequence[Operation]]


class Commands(Sequence[str]):
    """The exact `ip`, `nft` and `sysctl` lines of some changes, as typed on the lab's host."""

    def __init__(self, changes: Iterable[Change], where: str = HOST) -> None:
        self._changes = [
            (title, [operation.command(where) for operation in operations]) for title, operations in changes
        ]
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
