"""Working in a notebook of one's own: the next diagram, streams, interrupts, mistakes."""

import re

import pytest
from classroom import NOTEBOOKS
from notebook_page import BUSY, MILLISECONDS, diagram, output, prompt, words
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_link_set_down_by_hand_is_marked_in_the_next_diagram(notebook):
    silent = notebook.run("%%on host\nip link set docker0 down")
    expect(output(silent)).to_have_count(0)
    assert any("DOWN" in piece for piece in words(diagram(notebook.run("lab"))))


def test_output_appears_while_the_command_is_running(notebook):
    flag = NOTEBOOKS / "go-on"
    cell = notebook.start(f"%%on web\necho before\nuntil [ -e {flag.name} ]; do sleep 0.05; done\necho after")
    expect(output(cell)).to_have_text(re.compile(r"^before\s*$"), timeout=MILLISECONDS)
    expect(prompt(cell)).to_have_text(BUSY)
    flag.touch()
    expect(output(cell)).to_have_text(re.compile(r"^before\s+after\s*$"))
    notebook.wait_for_end(cell)
    flag.unlink()


@pytest.mark.parametrize("stop", ["keys", "button"])
def test_an_endless_ping_can_be_stopped_and_the_next_cell_works(stop, notebook):
    cell = notebook.start("%%on host\nping 172.17.0.2")
    expect(output(cell)).to_contain_text("64 bytes from 172.17.0.2", timeout=MILLISECONDS)
    expect(prompt(cell)).to_have_text(BUSY)
    {"keys": notebook.stop_with_keys, "button": notebook.stop_with_button}[stop]()
    notebook.wait_for_end(cell)
    said = " ".join(output(cell).all_inner_texts())
    assert "Traceback" not in said
    expect(output(notebook.run('print(lab.host.ping("172.17.0.2").ok)'))).to_have_text("True")
    expect(output(notebook.run("%on host pgrep -x ping || echo no ping is left"))).to_contain_text("no ping is left")


MISTAKES = {
    'lab.run("a b")': "RequestError",
    'lab.run("web", image="ngnix")': "NotFound",
    'lab["wbe"].interfaces': "NotFound",
    "%%on wbe\nip addr": "NotFound",
    'lab.host.link("eth7")': "NotFound",
}


def test_a_mistake_shows_one_message_and_no_traceback(notebook):
    for code, kind in MISTAKES.items():
        cell = notebook.run(code)
        expect(output(cell)).to_have_count(1)
        (said,) = output(cell).all_inner_texts()
        assert said.startswith(f"{kind}: "), said
        assert len(said.splitlines()) <= 3, said
        assert "\x1b" not in said
        assert "Traceback" not in said
        assert "File " not in said
