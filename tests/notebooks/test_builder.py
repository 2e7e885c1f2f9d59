"""The format of the sources: what the builder makes of it, and what it refuses."""

from __future__ import annotations

import pytest
from test_chapters import builder

PREDICTION = """::: predict
en: What happens?
ja: どうなるでしょうか。
- nothing || 何も起こらない
en: Something does.
ja: 何かが起こります。
+ something || 何かが起こる
en: Because.
ja: だからです。
::: code
run()
::: answer
"""


def sources(text: str, language: str = "en") -> list[str]:
    return [cell.texts[language] for cell in builder.read_cells(text)]


def test_text_becomes_one_cell_in_each_language() -> None:
    """A pair of `en` and `ja` is one cell."""
    text = "::: en\nhello\n::: ja\nこんにちは\n"
    assert sources(text) == ["hello"]
    assert sources(text, "ja") == ["こんにちは"]


def test_comments_are_translated_and_code_is_not() -> None:
    """`# English || 日本語` keeps one of the two; `||` outside a comment is code."""
    text = "::: code\nx = 1  # one || 一\n%on host true || false\n"
    assert sources(text) == ["x = 1  # one\n%on host true || false"]
    assert sources(text, "ja") == ["x = 1  # 一\n%on host true || false"]


def test_a_prediction_is_asked_before_and_answered_after() -> None:
    """The question shows the options, the folded answer gives a reason for each."""
    question, code, answer = sources(PREDICTION)
    assert "**A.** nothing" in question
    assert "Because" not in question
    assert code == "run()"
    assert answer.startswith("<details>")
    assert "B. something** — ✓" in answer


def test_an_exercise_has_a_folded_solution_and_room_to_type() -> None:
    """The solution is folded below the task, and an empty cell follows."""
    text = "::: try\n::: en\nDo it.\n::: ja\nやってみて。\n::: solution\ndone()\n"
    task, room = builder.read_cells(text)
    assert "<details>" in task.texts["en"]
    assert "done()" in task.texts["ja"]
    assert room.texts["en"].startswith("#")
    assert room.solution == "done()"


def test_ids_survive_an_edit_elsewhere() -> None:
    """A cell's id depends on its own first line only, and is unique."""
    first = builder.cell_ids(builder.read_cells("::: code\na\n::: code\nb\nc\n"))
    second = builder.cell_ids(builder.read_cells("::: code\nnew\n::: code\nb\nd\n::: code\nb\n"))
    assert first[1] == second[1]
    assert len(set(second)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "::: en\nalone\n::: code\n1\n",
        "::: answer\n",
        "::: nonsense\n",
        PREDICTION.replace("en: Because.\n", ""),
        PREDICTION.replace("+ ", "- "),
        "::: code\n1  # one || 一 || 壱\n",
    ],
    ids=["no Japanese", "answer without question", "unknown block", "no reason", "nothing right", "three languages"],
)
def test_an_incomplete_source_is_refused(text: str) -> None:
    """What a reader of one language would miss is an error."""
    with pytest.raises(builder.SourceError):
        builder.read_cells(text)
