"""Working in a notebook of one's own: diagrams, streams, interrupts, mistakes, and the end of it all."""

import re
import time

import pytest
from classroom import NOTEBOOKS, alive, descendants, wait_until
from notebook_page import BUSY, MILLISECONDS, RUN, diagram, output, prompt, words
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

BEGIN = "from netlab import Lab; lab = Lab()"


def test_three_lines_show_a_diagram_with_the_container(notebook):
    seen = words(diagram(notebook.run(f'{BEGIN}; lab.run("web", image="nginx"); lab')))
    assert {"docker0", "172.17.0.1/16", "web", "172.17.0.2/16"} <= set(seen)
    assert "DOWN" not in seen


def test_a_link_set_down_by_hand_is_marked_in_the_next_diagram(notebook):
    notebook.run(f'{BEGIN}; lab.run("web", image="nginx")')
    silent = notebook.run("%%on host\nip link set docker0 down")
    expect(output(silent)).to_have_count(0)
    assert any("DOWN" in piece for piece in words(diagram(notebook.run("lab"))))


def test_output_appears_while_the_command_is_running(notebook):
    notebook.run(f'{BEGIN}; lab.run("web", image="nginx")')
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
    notebook.run(f'{BEGIN}; lab.run("web", image="nginx")')
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
    notebook.run(BEGIN)
    for code, kind in MISTAKES.items():
        cell = notebook.run(code)
        expect(output(cell)).to_have_count(1)
        (said,) = output(cell).all_inner_texts()
        assert said.startswith(f"{kind}: "), said
        assert len(said.splitlines()) <= 3, said
        assert "\x1b" not in said
        assert "Traceback" not in said
        assert "File " not in said


@pytest.mark.parametrize("way", ["Shut Down Kernel", "Restart Kernel…"])
def test_the_lab_ends_with_its_kernel(way, notebook):
    notebook.run(f'{BEGIN}; lab.run("web", image="nginx")')
    classroom = notebook.classroom
    (kernel,) = classroom.kernel_pids()
    sandbox = descendants(kernel)
    assert len(sandbox) >= 7, "the agent, the host, four of the internet, and the container"
    assert classroom.lab_names() == ["lab"]
    notebook.choose("Kernel", way)
    if way.startswith("Restart"):
        notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
    wait_until(lambda: not alive({kernel}), "the kernel has ended")
    ended = time.monotonic()
    wait_until(lambda: not alive(sandbox), "the sandbox has ended with it", seconds=1)
    assert time.monotonic() - ended < 1
    if way.startswith("Restart"):
        notebook.wait_for_kernel()
        expect(prompt(notebook.run(BEGIN))).to_have_text(RUN)
