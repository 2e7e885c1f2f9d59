"""The format of the sources: what the builder makes of it, and what it refuses."""

from __future__ import annotations

import json

import pytest
from test_chapters import builder

PREDICTION = """::: predict what
en: What happens?
ja: どうなるでしょうか。
- nothing || 何も起こらない == 0
en: Something does.
ja: 何かが起こります。
+ something || 何かが起こる == (1, 2)
en: Because.
ja: だからです。
::: code
run()
::: answer
got = run()
(got, 2)
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


def test_a_prediction_is_asked_before_and_graded_after() -> None:
    """The question is a cell before, and what the kernel answered is given to the cell after."""
    assert sources(PREDICTION) == ['predict("what")', "run()", 'got = run()\nanswer("what", (got, 2))']


def test_the_texts_of_a_prediction_go_to_the_course() -> None:
    """Options keep their order, their reasons and the value that makes each right."""
    asked = json.loads(builder.questions_of(PREDICTION))["what"]
    assert asked["question"] == {"en": "What happens?", "ja": "どうなるでしょうか。"}
    assert [(one["value"], one["expected"]) for one in asked["options"]] == [("0", False), ("(1, 2)", True)]
    assert asked["options"][1]["reason"]["en"] == "Because."


def test_a_term_is_a_heading_with_its_cell_and_a_link_leads_to_it() -> None:
    """The words come from the glossary, in each language."""
    heading, cell = builder.read_cells("::: terms\nveth\n")
    assert heading.texts["en"].startswith("### veth pair\n")
    assert "ブイイース" in heading.texts["ja"]
    assert cell.kind == "code"
    text = "::: en\na [[veth|cable]], a [[bridge]]\n::: ja\n[[veth]]です\n"
    assert sources(text) == ["a [cable](10-glossary.ipynb#cell-id=veth), a [Bridge](10-glossary.ipynb#cell-id=bridge)"]
    assert sources(text, "ja") == ["[veth ペア](10-glossary.ipynb#cell-id=veth)です"]


def test_the_first_mention_of_a_word_leads_to_the_glossary() -> None:
    """Not in code, headings and the goals at the top, not the second time, and not where a word may mean something else."""
    goals = "::: en\n# A bridge\n- what NAT is\n::: ja\n.\n"
    text = goals + "::: en\n`NAT` on a **bridge**: NAT, forwarding, the [[bridge]] again\n::: ja\n.\n"
    _, story = sources(text)
    assert story == (
        "`NAT` on a [**bridge**](10-glossary.ipynb#cell-id=bridge): "
        "[NAT](10-glossary.ipynb#cell-id=nat), forwarding, the Bridge again"
    )


def test_emphasis_goes_inside_a_link_that_it_begins_with() -> None:
    """Otherwise Markdown shows its asterisks beside a letter, and Japanese has no spaces."""
    text = "::: en\n.\n::: ja\nこれは**[[nat]]**です。**太字**と*[[mtu|最大長]] (MTU)* です。**橋と[[veth]]の話**。\n"
    (said,) = sources(text, "ja")
    assert said == (
        "これは[**NAT**](10-glossary.ipynb#cell-id=nat)です。**太字**と[*最大長*](10-glossary.ipynb#cell-id=mtu) *(MTU)* です。"
        "**橋と[veth ペア](10-glossary.ipynb#cell-id=veth)の話**。"
    )


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("[[arp|ARP]]です", "[ARP](10-glossary.ipynb#cell-id=arp)(アープ)です"),
        ("[[arp|ARP]](解決)", "[ARP](10-glossary.ipynb#cell-id=arp)(アープ、解決)"),
        ("**[[arp|ARP]]**です", "[**ARP**](10-glossary.ipynb#cell-id=arp)(アープ)です"),
        ("[[arp|ARP]]はアープと読む", "[ARP](10-glossary.ipynb#cell-id=arp)はアープと読む"),
        ("[[arp|問い合わせ]]", "[問い合わせ](10-glossary.ipynb#cell-id=arp)"),
        ("[[bridge|ブリッジ]]", "[ブリッジ](10-glossary.ipynb#cell-id=bridge)"),
    ],
)
def test_a_word_of_letters_has_its_reading_where_the_course_begins_with_it(words: str, shown: str) -> None:
    """In Japanese, where one cannot guess it, unless the text says it itself; kana and kanji need none."""
    (cell,) = builder.read_cells(f"::: en\n.\n::: ja\n{words}\n", "04-bridge-network")
    assert cell.texts["ja"] == shown
    assert "(アープ" not in "".join(sources(f"::: en\n.\n::: ja\n{words}\n", "ja"))


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
        PREDICTION.replace(" what", ""),
        PREDICTION.replace("== 0", "== run()"),
        PREDICTION.replace("== 0", "== (1, 2)"),
        PREDICTION.replace("got = run()\n(got, 2)\n", ""),
        "::: en\n[[nonsense]]\n::: ja\n.\n",
        "::: code\n1  # one || 一 || 壱\n",
    ],
    ids=[
        "no Japanese",
        "answer without question",
        "unknown block",
        "no reason",
        "nothing right",
        "no key",
        "no literal",
        "two options with one value",
        "no value",
        "unknown term",
        "three languages",
    ],
)
def test_an_incomplete_source_is_refused(text: str) -> None:
    """What a reader of one language would miss is an error."""
    with pytest.raises(builder.SourceError):
        builder.read_cells(text)
