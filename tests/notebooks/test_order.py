"""A chapter's cells in another order, or once more: they work, or say what to run first."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_chapters import ROOT, chapter, every_chapter

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

pytestmark = [pytest.mark.kernel, pytest.mark.slow, pytest.mark.timeout(300)]

A_MINUTE = 60
OWN = re.compile(r"^class (\w+)\(\w*Error", re.MULTILINE)
ERRORS = set(OWN.findall((ROOT / "netlab" / "errors.py").read_text()))


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Somebody who runs cells in one kernel: call it with code, get the error that the cell ended with, if any."""
    for name, value in {"NETLAB_PROGRESS": "off", "NETLAB_LANGUAGE": "en", "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    book = nbformat.v4.new_notebook()
    client = nbclient.NotebookClient(
        book, timeout=120, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    with client.setup_kernel(env=dict(os.environ)):

        def run(code: str) -> Any:
            book.cells.append(nbformat.v4.new_code_cell(code))
            client.execute_cell(book.cells[-1], len(book.cells) - 1)
            return next((output for output in book.cells[-1].outputs if output.output_type == "error"), None)

        yield run
        run("from netlab import Lab\nfor one in list(globals().values()):\n    if isinstance(one, Lab): one.close()")


def code(stem: str) -> list[str]:
    """The cells of a chapter, as a reader gets them."""
    return [cell.source for cell in chapter("en", stem).cells if cell.cell_type == "code"]


@every_chapter
def test_a_chapter_takes_less_than_a_minute_and_can_be_run_again(stem: str, reader: Any) -> None:
    """From the top, and once more from the top, in one kernel."""
    began = time.monotonic()
    assert [error for error in map(reader, code(stem)) if error] == []
    assert time.monotonic() - began < A_MINUTE
    assert [error for error in map(reader, code(stem)) if error] == []


@every_chapter
def test_cells_in_the_wrong_order_say_what_to_run_first(stem: str, reader: Any) -> None:
    """From the bottom to the top: what does not work ends with words of netlab's, not with a riddle."""
    assert reader("import netlab") is None
    for source in reversed(code(stem)):
        error = reader(source)
        said = "\n".join(error.traceback) if error else ""
        assert error is None or error.ename in ERRORS or "run that one first" in said, f"{source}\n{said}"
