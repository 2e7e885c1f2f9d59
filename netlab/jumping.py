"""Jump to a step of a chapter, for those who fell behind: the cells before it are run in this notebook, from the source.

A chapter's checkpoint is the list of its cells up to there. It is true by itself: variables are there as well as the lab,
whatever a reader has changed in the notebook, and nothing has to be kept beside the text.
"""

from __future__ import annotations

import importlib.machinery
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from netlab.errors import NetlabError, NotFound, RequestError
from netlab.lab import Lab
from netlab.language import LANGUAGES, current, say

_ROOT = Path(__file__).parents[1]
_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A step of a chapter: its heading in both languages, and the code of all cells before it."""

    titles: tuple[str, ...]
    before: tuple[str, ...]


def jump(chapter: str | int, step: str | int = 1) -> None:
    """Bring this notebook to a step of a chapter, as if all cells before it had just been run; open labs are closed.

    `chapter` is its number, as "03"; `step` a heading or the beginning of one, or its number, counted from 1. Predictions are
    not asked and exercises not done. Raises NotFound, listing the steps; RequestError outside a notebook.
    """
    shell = _shell()
    target = _find(chapter, step)
    began = time.monotonic()
    for lab in {id(one): one for one in shell.user_ns.values() if isinstance(one, Lab)}.values():
        lab.close()
    for code in target.before:
        _run(shell, code)
    exec("from netlab.course import answer, predict", shell.user_ns)  # noqa: S102 - fixed, and what every chapter begins with
    title = target.titles[LANGUAGES.index(current())]
    count, seconds = len(target.before), time.monotonic() - began
    print(
        say(
            en=f"You are at: {title} ({count} cells, {seconds:.0f} s)",
            ja=f"「{title}」まで進みました({count} 個のセル、{seconds:.0f} 秒)",
        )
    )


def steps(chapter: str | int) -> list[Step]:
    """Return the steps of a chapter; raises NotFound."""
    number = f"{chapter:02}" if isinstance(chapter, int) else chapter[:2]
    found = list((_ROOT / "notebooks" / "source").glob(f"{number}-*.md"))
    if not found:
        raise NotFound(
            say(
                en=f"There is no chapter {chapter!r} here. The chapters come with the repository, as 00 to 11.",
                ja=f"ここに第 {chapter} 章はありません。章 (00 から 11) はリポジトリに含まれています。",
            )
        )
    return list(_steps(_builder().read_cells(found[0].read_text("utf-8"))))


def _steps(cells: list[Any]) -> Iterator[Step]:
    before: list[str] = []
    for cell in cells:
        if cell.kind == "code" and cell.solution is None:
            before.append(cell.texts[current()])
        elif cell.kind == "markdown":
            titles = [_HEADING.findall(cell.texts[language]) for language in LANGUAGES]
            for pair in zip(*titles, strict=False):
                yield Step(pair, tuple(before))


def _find(chapter: str | int, step: str | int) -> Step:
    known = steps(chapter)
    if isinstance(step, int):
        found = known[step - 1 : step] if step > 0 else []
    else:
        found = [one for one in known if any(title.startswith(step) for title in one.titles)]
    if len(found) == 1:
        return found[0]
    index = LANGUAGES.index(current())
    listed = "\n".join(f"  {number}  {one.titles[index]}" for number, one in enumerate(known, start=1))
    raise NotFound(
        say(
            en=f"The chapter has no step {step!r}. Give a number, or a heading's beginning:\n{listed}",
            ja=f"この章に {step!r} というステップはありません。番号か、見出しの始めの部分を指定してください。\n{listed}",
        )
    )


@cache
def _builder() -> ModuleType:
    """Return the program that makes notebooks of the sources: it knows how to read them."""
    loader = importlib.machinery.SourceFileLoader("build_notebooks", str(_ROOT / "scripts" / "build-notebooks"))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    sys.modules[loader.name] = module  # dataclasses look their module up there
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def _shell() -> Any:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        raise RequestError(
            say(
                en="There are no cells to jump between here. Do it in a notebook: jump('03', 2)",
                ja="ここにはセルがありません。ノートブックで使ってください: jump('03', 2)",
            )
        )
    return shell


def _run(shell: Any, code: str) -> None:
    """Run a cell without its output, and without asking for predictions or grading them; raises NetlabError."""
    from IPython.utils.capture import capture_output  # noqa: PLC0415 - not needed outside notebooks

    shell.user_ns.update(predict=lambda *_: None, answer=lambda _, value: value)
    with capture_output():
        done = shell.run_cell(code, silent=True)
    error = done.error_before_exec or done.error_in_exec
    if error is not None:
        raise NetlabError(
            say(
                en=f"A cell on the way there failed, {type(error).__name__}: {error}\n{code}",
                ja=f"途中のセルが失敗しました ({type(error).__name__}: {error})\n{code}",
            )
        )
