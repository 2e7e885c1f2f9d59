"""What a cell with `lab.show()` puts into a notebook, and what becomes of it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

_WIDGET = "application/vnd.jupyter.widget-view+json"


def run(monkeypatch, *cells, served):
    """Return the outputs of the cells, run by a kernel as a notebook server starts it, or by itself."""
    if served:
        monkeypatch.setenv("JPY_SESSION_NAME", "lesson.ipynb")
    else:
        monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    cells = ["from netlab import Lab\nlab = Lab('shown')\nlab.run('web')", *cells, "lab.close()"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    nbclient.NotebookClient(book, timeout=60, store_widget_state=False).execute()
    return [[output.data for output in cell.outputs if "data" in output] for cell in book.cells[1:-1]]


def test_in_a_notebook_server_the_picture_comes_first_and_the_widget_alone(monkeypatch):
    ((still, alive), (printed,)) = run(monkeypatch, "lab.show()", "lab", served=True)
    assert set(still) == set(printed) == {"image/svg+xml", "text/plain"}
    assert set(alive) == {_WIDGET}
    assert alive[_WIDGET]["model_id"]


def test_elsewhere_there_is_only_the_picture(monkeypatch):
    """So the chapters' stored outputs, and whatever nbconvert or nbval makes, have no widget that nobody could show."""
    ((still,),) = run(monkeypatch, "lab.show()", served=False)
    assert set(still) == {"image/svg+xml", "text/plain"}
    assert "web" in still["text/plain"]


def test_a_settled_widget_leaves_nothing_in_the_notebook_that_asks_for_it(monkeypatch):
    """An empty model_id is what JupyterLab hides; the picture is the lab as it was last seen."""
    hear = """
    import time
    diagram, deadline = lab.show(), time.monotonic() + 20
    diagram._ipython_display_()
    widget = diagram.widget
    def says(**message): widget._handle_custom_msg({"view": "v", **message}, [])
    says(type="whole"); says(type="settled")
    lab.run("late")
    while not diagram._session.snapshot.place("late") and time.monotonic() < deadline: time.sleep(0.05)
    lab.close()
    while diagram._feed.running and time.monotonic() < deadline: time.sleep(0.05)
    """
    ((still, alive),) = run(monkeypatch, textwrap.dedent(hear), served=True)
    assert alive[_WIDGET]["model_id"] == ""
    assert "late" in still["image/svg+xml"]


def test_a_widget_that_no_page_can_show_again_is_closed(monkeypatch):
    hear = """
    diagram = lab.show(); diagram._ipython_display_()
    widget = diagram.widget
    def says(**message): widget._handle_custom_msg({"view": "v", **message}, [])
    says(type="whole"); says(type="settled"); says(type="bye")
    (widget.closed, diagram._feed.running, diagram.widget is widget)
    """
    (outputs,) = run(monkeypatch, textwrap.dedent(hear), served=True)
    assert outputs[-1]["text/plain"] == "(True, False, False)"


def test_a_program_with_a_followed_lab_ends_at_once_and_quietly(tmp_path):
    program = """
    from netlab import Lab
    from netlab.live.feed import Feed
    lab = Lab(); feed = Feed(lab)
    session = feed.open(lab.snapshot(), "en", lambda message: None)
    feed.hear(session, {"type": "whole", "view": "v"})
    assert feed.running
    lab.run("web")
    lab.close()
    """
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(program))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_graphviz_the_lab_is_shown_as_text_and_what_to_install(monkeypatch):
    ((said,),) = run(monkeypatch, "import os; os.environ['PATH'] = '/nowhere'\nlab.show()", served=True)
    assert set(said) == {"text/plain"}
    assert "graphviz" in said["text/plain"]
