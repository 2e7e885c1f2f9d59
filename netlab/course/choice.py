"""The widget of a prediction: a question and its options as radio buttons."""

from __future__ import annotations

from collections.abc import Callable

import traitlets

from netlab.course.chapters import Question
from netlab.course.widget import Widget, esm
from netlab.course.words import to_html
from netlab.language import say


class Choice(Widget):
    """One question on the page; `chosen` and `right` are numbers of options, -1 for none yet."""

    _esm = esm("choice")

    question = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    right = traitlets.Int(-1).tag(sync=True)

    def __init__(self, asked: Question, chosen: int, commit: Callable[[int], None]) -> None:
        super().__init__(
            words={
                "title": say(en="Predict, then run", ja="予想してから実行"),
                "ask": say(en="Choose before you run the next cell.", ja="次のセルを実行する前に選んでください。"),
                "committed": say(
                    en="Noted. Run the next cells to see whether it comes true; until then you may change your mind.",
                    ja="記録しました。次のセルを実行して確かめましょう。それまでは選び直せます。",
                ),
                "graded": say(
                    en="The kernel has answered: see below.", ja="カーネルの答えが出ました。下をご覧ください。"
                ),
            },
            question=to_html(asked.text),
            options=[to_html(option.text) for option in asked.options],
            chosen=chosen,
        )
        self.observe(lambda change: commit(change["new"]), "chosen")

    def grade(self, right: int | None) -> None:
        """Mark the right option; after that nothing can be chosen any more."""
        self.right = -1 if right is None else right
