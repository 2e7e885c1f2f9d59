"""The widget of a table of guesses: a button for each cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from netlab.course.widget import Widget, esm
from netlab.language import say


class Grid(Widget):
    """One table on the page: `guesses` and `results` are a list for each row, of True, False, or None for none yet."""

    _esm = esm("grid")

    rows = traitlets.List(traitlets.Unicode()).tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    guesses = traitlets.List(traitlets.List(traitlets.Bool(allow_none=True))).tag(sync=True)
    results = traitlets.List(traitlets.List(traitlets.Bool())).tag(sync=True)

    def __init__(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        guesses: Sequence[Sequence[bool | None]],
        commit: Callable[[Sequence[Sequence[bool | None]]], None],
    ) -> None:
        super().__init__(
            words={
                "title": say(en="Predict, then run", ja="予想してから実行"),
                "ask": say(
                    en="Click each cell: ✓ or ✗. Then run the next cells.",
                    ja="各マスをクリックして ✓ か ✗ を選んでください。それから次のセルを実行します。",
                ),
                "committed": say(
                    en="All filled in. Run the next cells.", ja="すべて埋まりました。次のセルを実行しましょう。"
                ),
                "graded": say(
                    en="The kernel has answered: see below.", ja="カーネルの答えが出ました。下をご覧ください。"
                ),
                "yes": say(en="yes", ja="はい"),
                "no": say(en="no", ja="いいえ"),
                "none": say(en="no guess yet", ja="まだ予想なし"),
            },
            rows=list(rows),
            columns=list(columns),
            guesses=[list(row) for row in guesses],
            results=[],
        )
        self.observe(lambda change: commit(change["new"]), "guesses")
