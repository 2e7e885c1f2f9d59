"""Jumping to a step of a chapter: variables and lab are as if all cells before it had been run."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from outside import ip

import netlab
from netlab.errors import NotFound, RequestError
from netlab.jumping import jump, steps
from netlab.lab import Lab

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CHAPTERS = [f"0{number}" for number in range(9)]


@pytest.fixture
def notebook(monkeypatch):
    """A shell as a chapter's cells have it."""
    monkeypatch.chdir(Path(__file__).parents[2] / "notebooks" / "en")
    shell = InteractiveShell.instance()
    netlab.load_ipython_extension(shell)
    yield shell
    for lab in [one for one in shell.user_ns.values() if isinstance(one, Lab)]:
        lab.close()
    shell.reset()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_steps_and_one_can_jump_to_the_second(chapter, notebook, capsys):
    second = steps(chapter)[1]
    jump(chapter, 2)
    assert f"You are at: {second.titles[0]}" in capsys.readouterr().out
    labs = [one for one in notebook.user_ns.values() if isinstance(one, Lab)]
    assert bool(labs) == any("Lab(" in code for code in second.before)
    assert not any(lab.closed for lab in labs)
    from netlab.course import answer  # noqa: PLC0415 - the real one is back

    assert notebook.user_ns["answer"] is answer


def test_after_a_jump_the_kernel_has_what_the_cells_make(notebook):
    jump("03", "In at one end")
    assert ip(notebook.user_ns["red"], "route")[0]["dst"] == "10.0.0.0/24"
    assert notebook.user_ns["red"].ping("10.0.0.2").ok
    first = notebook.user_ns["lab"]
    jump(3, "何もない")
    assert first.closed
    assert "lab" in notebook.user_ns


def test_a_step_that_is_not_there_is_answered_with_those_that_are(notebook):
    assert notebook is not None
    with pytest.raises(NotFound, match="2  Carry the ends into two rooms"):
        jump("03", "nowhere")
    with pytest.raises(NotFound, match="no step 99"):
        jump("03", 99)
    with pytest.raises(NotFound, match="no chapter '77'"):
        jump("77")


def test_without_a_notebook_there_is_nothing_to_jump_in():
    with pytest.raises(RequestError, match="no cells"):
        jump("03")
