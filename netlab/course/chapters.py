"""What the course consists of: its chapters, and the predictions that the builder of the notebooks found in them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from netlab.errors import NotFound
from netlab.language import Language, current, say

Texts = Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter; `stem` is the name of its notebook."""

    stem: str
    titles: Texts

    @property
    def number(self) -> str:
        """The two digits that its name begins with."""
        return self.stem[:2]

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return self.titles[current()]


CHAPTERS = tuple(
    Chapter(stem, {"en": english, "ja": japanese})
    for stem, english, japanese in (
        ("00-introduction", "Introduction and an everyday analogy", "はじめに・日常の例え"),
        ("01-big-picture", "The big picture of container networking", "コンテナネットワークの全体像"),
        ("02-network-namespace", "Network namespace", "Network namespace"),
        ("03-veth-pair", "veth pairs", "veth ペア"),
        ("04-bridge-network", "Bridge networks", "bridge ネットワーク"),
        ("05-traffic-flow", "How container traffic flows", "コンテナの通信フロー"),
        ("06-port-mapping", "Port mapping", "ポートマッピング"),
        ("07-container-to-container", "Container-to-container communication", "コンテナ間通信"),
        ("08-network-drivers", "Kinds of network driver", "ネットワークドライバの種類"),
        ("09-next-topic", "Review and the next topic", "次のトピックへ"),
        ("10-glossary", "Glossary", "用語集"),
        ("11-references", "References", "参考資料"),
    )
)


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that a reader may expect: `value` is what the kernel answers when it is right."""

    texts: Texts
    reasons: Texts
    value: Any
    expected: bool  # by the authors; the tests compare it with the kernel's answer

    @property
    def text(self) -> str:
        """The option in the reader's language."""
        return self.texts[current()]

    @property
    def reason(self) -> str:
        """Why it is right or wrong, in the reader's language."""
        return self.reasons[current()]


@dataclass(frozen=True, slots=True)
class Question:
    """One prediction of a chapter."""

    key: str
    chapter: str  # its number
    questions: Texts
    options: tuple[Option, ...]

    @property
    def text(self) -> str:
        """The question in the reader's language."""
        return self.questions[current()]


@cache
def questions() -> Mapping[str, Question]:
    """Return every prediction of the course by its key, in the order of the chapters."""
    found = {}
    folder = resources.files("netlab.course") / "questions"
    for chapter in CHAPTERS:
        file = folder / f"{chapter.stem}.json"
        if not file.is_file():
            continue
        for key, one in json.loads(file.read_text("utf-8")).items():
            options = tuple(
                Option(option["text"], option["reason"], ast.literal_eval(option["value"]), option["expected"])
                for option in one["options"]
            )
            found[key] = Question(key, chapter.number, one["question"], options)
    return found


def question(key: str) -> Question:
    """Return the prediction of that key; raises NotFound, naming those that there are."""
    try:
        return questions()[key]
    except KeyError:
        raise NotFound(
            say(
                en=f"The course has no prediction {key!r}. There are: {', '.join(questions())}",
                ja=f"予想 {key!r} はこのコースにありません。あるのは次のものです: {', '.join(questions())}",
            )
        ) from None
