"""Trouble: what a student is told of a fault, how far the repair has come, hints, and in the end the whole truth."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from netlab.faults.fault import Break, Fault
from netlab.faults.ways import Explain, Lab, Way, probe_all
from netlab.language import say
from netlab.why.explanation import Explanation


@dataclass(frozen=True)
class Inflicted:
    """A fault that struck, and how."""

    fault: Fault
    broken: Break


@dataclass(frozen=True)
class Checked:
    """How far the repair has come. `missing` are ways that do not work yet, `opened` those that should not, and now do."""

    missing: tuple[tuple[str, str], ...] = ()
    opened: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything works again, and nothing more than before."""
        return not self.missing and not self.opened

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        if self.ok:
            return say(en="✓ Everything works again.", ja="✓ すべて元どおりに動いています。")
        lines = [
            say(en=f"✕ {source} → {target}: still no answer", ja=f"✕ {source} → {target}: まだ応答がありません")
            for source, target in self.missing
        ]
        lines += [
            say(
                en=f"✕ {source} → {target}: can be reached now, and must not be, as before",
                ja=f"✕ {source} → {target}: 届いてはいけないのに、届くようになっています(壊れる前は届きませんでした)",
            )
            for source, target in self.opened
        ]
        return "\n".join(lines)


class Trouble:
    """Something in the lab is broken. Shown is only what its users complain of."""

    def __init__(
        self,
        lab: Lab,
        explain: Explain,
        inflicted: Sequence[Inflicted],
        ways: Sequence[Way],
        closed: Sequence[tuple[str, str]],
    ) -> None:
        self._lab = lab
        self._explain = explain
        self._inflicted = tuple(inflicted)
        self._ways = tuple(ways)
        self._closed = tuple(closed)
        self._hints = 0

    @property
    def symptom(self) -> str:
        """What users complain of."""
        return "\n".join(dict.fromkeys(one.broken.way.complaint for one in self._inflicted))

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults: for instructors and tests."""
        return tuple(one.fault.name for one in self._inflicted)

    def check(self) -> Checked:
        """Find out by real probes whether all that worked before works again; whatever the repair was, it counts.

        What could not be reached before must not be open now; that is worked out from the rules, without sending.
        """
        probed = zip(self._ways, probe_all(self._lab, self._ways), strict=True)
        missing = tuple((way.source, way.target) for way, works in probed if not works)
        opened = tuple(
            pair for pair, found in zip(self._closed, self._ask(self._closed), strict=True) if found is not None and found.ok
        )  # fmt: skip
        return Checked(missing, opened)

    def _ask(self, pairs: Sequence[tuple[str, str]]) -> list[Explanation | None]:
        present = {one.name for one in self._lab.snapshot().places}
        known = [pair for pair in pairs if pair[0] in present]
        answers = dict(zip(known, self._explain(known), strict=True))
        return [answers.get(pair) for pair in pairs]

    # ── help ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def hint(self) -> str:
        """Return the next of three hints: where to look, at what, and the command that shows it."""
        self._hints = min(self._hints + 1, 3)
        found = self._first_failure()
        if found is None:
            return say(
                en="Everything seems to work again. Let it be checked: trouble.check()",
                ja="もう直っているようです。trouble.check() で確かめてください。",
            )
        failed = found.failed or found.unsure or found[-1]
        if self._hints == 1:
            return say(
                en=f"Hint 1 of 3: follow the packet from {found.place} to {found.target}. It gets as far as {failed.place}.",
                ja=f"ヒント 1/3: {found.place} から {found.target} へのパケットを追ってみましょう。"
                f"{failed.place} で止まっています。",
            )
        if self._hints == 2:
            return say(
                en=f"Hint 2 of 3: in {failed.place}, look at {_TOPICS[failed.kind][0]}.",
                ja=f"ヒント 2/3: {failed.place} の{_TOPICS[failed.kind][1]}を調べてみましょう。",
            )
        return say(
            en=f"Hint 3 of 3: {failed.text} See it: {failed.place}$ {failed.command}",
            ja=f"ヒント 3/3: {failed.text} 確かめるには: {failed.place}$ {failed.command}",
        )

    def _first_failure(self) -> Explanation | None:
        pairs = [(one.broken.way.source, one.broken.way.target) for one in self._inflicted]
        pairs += [(way.source, way.target) for way in self._ways]
        return next((one for one in self._ask(list(dict.fromkeys(pairs))) if one is not None and not one.ok), None)

    def reveal(self) -> str:
        """Return what was broken, and the commands that repair it."""
        lines = []
        for one in self._inflicted:
            lines.append(say(en="What was broken:", ja="壊したもの:"))
            lines += [f"  {command}" for command in one.broken.commands]
            lines.append(say(en="What repairs it:", ja="直し方:"))
            lines += [f"  {command}" for command in one.broken.repair]
        return "\n".join(lines)

    def repair(self) -> None:
        """Repair everything, by the commands that `reveal` shows. Raises CommandFailed where one of them is refused."""
        for one in reversed(self._inflicted):
            for command in one.broken.repair:
                self._lab[command.place].sh(command.command, check=True)

    # ── looks ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def __repr__(self) -> str:
        return f"{self.symptom}\n{_next()}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.symptom.splitlines())
        colours = "border-left:4px solid var(--jp-error-color1,#c62828);color:var(--jp-content-font-color1,inherit)"
        style = f"padding:6px 12px;{colours}"
        quiet = "color:var(--jp-content-font-color2,#666)"
        return (
            f'<div class="netlab-trouble" style="{style}"><p>{lines}</p>'
            f'<p style="{quiet}"><code>{html.escape(_next())}</code></p></div>'
        )


def _next() -> str:
    return ".check()  .hint()  .reveal()"


_TOPICS = {
    "name": ("how names are resolved", "名前解決"),
    "interface": ("the interfaces", "インターフェース"),
    "route": ("the routes", "経路"),
    "neighbour": ("the neighbours and the addresses", "隣接テーブルとアドレス"),
    "frame": ("the bridge and its ports", "ブリッジとそのポート"),
    "tunnel": ("the tunnel", "トンネル"),
    "rules": ("the nftables rules", "nftables のルール"),
    "nat": ("the address translation", "アドレス変換"),
    "forwarding": ("whether packets are passed on", "パケット転送の設定"),
    "reverse path": ("where answers would go, and rp_filter", "返信の経路と rp_filter"),
    "delivery": ("who has the address", "アドレスの持ち主"),
    "socket": ("what listens there", "待ち受けているソケット"),
    "answer": ("the way of the answer", "応答の経路"),
    "size": ("the MTU of the interfaces", "インターフェースの MTU"),
}
