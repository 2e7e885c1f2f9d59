"""One difference between two looks at a lab, and how the differences of a lab are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

from netlab.changes.picture import marked, marks
from netlab.errors import NetlabError
from netlab.glossary import linked
from netlab.language import say
from netlab.model import Snapshot
from netlab.ops import Operation
from netlab.view.scene import HIGHLIGHT

Kind = Literal["appeared", "went", "changed"]
_SIGNS = {"appeared": "+", "went": "-", "changed": "~"}
_COLOURS: dict[Kind, str] = {"appeared": "#00845e", "went": "#b3261e", "changed": HIGHLIGHT}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the kernel gained, lost or changed.

    `element` is the id that the diagram knows it by (`place/web`, `interface/web/eth0`, `link/…`, `nat/host`). `commands`
    are the lines, as typed on the first host, that make the same difference; there is none for what only follows from
    something else, such as a lost signal, and for what a process does.
    """

    element: str
    kind: Kind
    sentence: str
    commands: tuple[str, ...] = ()


def made(element: str, kind: Kind, sentence: str, *operations: Operation) -> Difference:
    """Return a difference that these operations make."""
    return Difference(element, kind, sentence, tuple(operation.command() for operation in operations))


class Changes(Sequence[Difference]):
    """Differences to read: a sentence each, and below it the commands that make the same difference.

    Given the looks `before` and `now`, a notebook shows the picture of the later one below them, with marks.
    """

    def __init__(
        self, differences: Iterable[Difference], before: Snapshot | None = None, now: Snapshot | None = None
    ) -> None:
        self._differences = tuple(differences)
        self._before = before
        self._now = now

    def __getitem__(self, index: int) -> Difference:  # type: ignore[override]  # nobody needs a slice of them
        return self._differences[index]

    def __len__(self) -> int:
        return len(self._differences)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self._differences)

    @property
    def commands(self) -> tuple[str, ...]:
        """All commands, in order."""
        return tuple(command for one in self for command in one.commands)

    def elements(self, kind: Kind) -> tuple[str, ...]:
        """Return the ids, as the diagram has them, of what appeared, went or changed."""
        return tuple(dict.fromkeys(one.element for one in self if one.kind == kind))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the differences as plain dictionaries, ready for JSON."""
        return [asdict(one) for one in self]

    def __repr__(self) -> str:
        if not self:
            return _nothing()
        lines = []
        for one in self:
            lines.append(f"{_SIGNS[one.kind]} {one.sentence}")
            lines += [f"    {line}" for command in one.commands for line in command.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self:
            return f"<em>{escape(_nothing())}</em>"
        told: set[str] = set()
        lines = "".join(_html(one, told) for one in self)
        return f'<div class="netlab-changes">{lines}{self._picture()}</div>'

    def _picture(self) -> str:
        """Return the picture with what appeared or changed outlined; nothing where that is not drawn, or cannot be."""
        if self._before is None or self._now is None:
            return ""
        try:
            picture = marked(self._now, marks(self, self._before), _COLOURS)
        except NetlabError:  # no graphviz: the sentences say it all
            return ""
        return f"{_legend()}{picture}" if picture else ""


def _legend() -> str:
    words: dict[Kind, str] = {
        "appeared": say(en="new", ja="新しいもの"),
        "changed": say(en="changed", ja="変わったもの"),
    }
    box = "display:inline-block;width:.8em;height:.8em;border-radius:3px;vertical-align:-.05em;border:3px solid"
    boxes = (f'<span style="{box} {_COLOURS[kind]}"></span> {escape(word)}' for kind, word in words.items())
    return f'<div style="margin:.6em 0 .2em">{" &emsp; ".join(boxes)}</div>'


def _nothing() -> str:
    return say(en="The kernel is as it was.", ja="カーネルの状態に変わりはありません。")


def _html(one: Difference, told: set[str]) -> str:
    style = f"border-left:3px solid {_COLOURS[one.kind]};padding:.1em .8em;margin:.15em 0"
    code = "margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace)"
    lines = f'<pre style="{code}">{escape(chr(10).join(one.commands))}</pre>' if one.commands else ""
    return f'<div style="{style}"><b>{_SIGNS[one.kind]}</b> {linked(one.sentence, told)}{lines}</div>'
