"""Tables: rows of facts that print well, show well in a notebook, and stay data."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from netlab.language import current, say
from netlab.model import Interface
from netlab.view.words import width

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

# Titles that are not simply the field's own name, by field.
_TITLES: dict[str, tuple[str, str]] = {
    "address": ("address", "アドレス"),
    "addresses": ("addresses", "アドレス"),
    "bridge": ("bridge", "ブリッジ"),
    "carrier": ("signal", "信号"),
    "chain": ("chain", "チェーン"),
    "command": ("command", "コマンド"),
    "comment": ("comment", "コメント"),
    "destination": ("destination", "宛先"),
    "family": ("family", "ファミリ"),
    "gateway": ("gateway", "ゲートウェイ"),
    "handle": ("handle", "ハンドル"),
    "index": ("index", "番号"),
    "interface": ("interface", "インターフェース"),
    "kind": ("kind", "種類"),
    "learned": ("learned", "学習した"),
    "mac": ("MAC", "MAC"),
    "master": ("master", "接続先ブリッジ"),
    "metric": ("metric", "メトリック"),
    "mtu": ("MTU", "MTU"),
    "name": ("name", "名前"),
    "packets": ("packets", "パケット数"),
    "peer": ("other end", "相手側"),
    "pid": ("pid", "PID"),
    "port": ("port", "ポート"),
    "process": ("process", "プロセス"),
    "protocol": ("protocol", "プロトコル"),
    "scope": ("scope", "スコープ"),
    "source": ("source", "送信元"),
    "state": ("state", "状態"),
    "table": ("table", "テーブル"),
    "text": ("rule", "ルール"),
}
_NUMBERS = frozenset({"handle", "index", "metric", "mtu", "packets", "pid", "port"})
# Columns that a reader of the table does not need at first sight; the rows have them all.
_HIDDEN: dict[str, frozenset[str]] = {
    "Interface": frozenset({"up", "carrier", "port_state", "peer_index", "peer_place", "peer_name", "details"}),
    "Route": frozenset({"family", "scope"}),
}
# What matters most comes first in a page, where a narrow window cuts off the rest. Other columns follow in their order.
_FIRST: dict[str, tuple[str, ...]] = {
    "Interface": ("name", "state", "addresses", "peer", "master"),
    "Rule": ("chain", "text", "comment", "packets"),
}
_LONG = frozenset({"addresses", "command", "comment", "iptables", "text"})  # cells that may take several lines
_USUAL = {"metric": 0, "kind": "unicast"}  # a column with nothing but this says nothing


class Table(Sequence[Row], Generic[Row]):
    """Rows of one kind, frozen: a sequence to compute with, a table to look at."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Table[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Table[Row]:
        return Table(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return self._rows == (other._rows if isinstance(other, Table) else other)

    def __hash__(self) -> int:
        return hash(self._rows)

    def where(self, choose: Callable[[Row], bool]) -> Table[Row]:
        """Return the table of the rows that `choose` says yes to."""
        return Table(row for row in self._rows if choose(row))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries, with every field, ready for JSON or a data frame."""
        return [dataclasses.asdict(row) for row in self._rows]

    def __repr__(self) -> str:
        columns = self._columns()
        if not columns:
            return _nothing()
        wide = {name: max(width(cell) for cell in (_title(name), *cells)) for name, cells in columns.items()}
        lines = ["  ".join(_padded(_title(name), wide[name], name) for name in columns)]
        lines += [
            "  ".join(_padded(cells[number], wide[name], name) for name, cells in columns.items())
            for number in range(len(self))
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        columns = self._columns_of_page()
        if not columns:
            return f"<em>{html.escape(_nothing())}</em>"
        head = "".join(f'<th scope="col" style="{_style(name)}">{html.escape(_title(name))}</th>' for name in columns)
        rows = (
            "".join(f'<td style="{_style(name)}">{html.escape(cells[number])}</td>' for name, cells in columns.items())
            for number in range(len(self))
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return (
            '<table class="netlab-table" style="color:var(--jp-content-font-color1,inherit);border-collapse:collapse">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _columns(self) -> dict[str, list[str]]:
        """Return the cells of every column that says something."""
        if not self._rows:
            return {}
        columns = {name: [_shown(one) for one in values] for name, values in self._values().items()}
        return {name: cells for name, cells in columns.items() if any(cells)}

    def _columns_of_page(self) -> dict[str, list[str]]:
        columns = self._columns()
        first = _FIRST.get(type(self._rows[0]).__name__, ()) if self._rows else ()
        order = [*(name for name in first if name in columns), *(name for name in columns if name not in first)]
        return {name: columns[name] for name in order}

    def _values(self) -> dict[str, list[Any]]:
        hidden = _HIDDEN.get(type(self._rows[0]).__name__, frozenset())
        names = [field.name for field in dataclasses.fields(self._rows[0]) if field.name not in hidden]
        values = {name: [getattr(row, name) for row in self._rows] for name in names}
        if isinstance(self._rows[0], Interface):
            values["peer"] = [_peer(row) for row in self._rows]
        return {name: cells for name, cells in values.items() if any(one != _USUAL.get(name, "") for one in cells)}


def _nothing() -> str:
    return say(en="(nothing)", ja="(なし)")


def _title(name: str) -> str:
    english, japanese = _TITLES.get(name, (name.replace("_", " "), name.replace("_", " ")))
    return japanese if current() == "ja" else english


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return (say(en="yes", ja="はい")) if value else ""
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value)
    return str(value)


def _peer(row: object) -> str:
    if not isinstance(row, Interface) or row.peer_index is None:
        return ""
    where = f"{row.peer_place}:{row.peer_name}" if row.peer_place else "?"
    return f"{where} ({row.peer_index})"


def _padded(cell: str, wide: float, name: str) -> str:
    space = " " * round(wide - width(cell))
    return space + cell if name in _NUMBERS else cell + space


def _style(name: str) -> str:
    side = "right" if name in _NUMBERS else "left"
    wrap = "pre-wrap" if name in _LONG else "nowrap"
    return (
        f"text-align:{side};padding:3px 10px;white-space:{wrap};font-family:var(--jp-code-font-family,monospace);"
        "border-bottom:1px solid var(--jp-border-color2,#8886)"
    )
