"""A notebook of one's own from its beginning to its end: the first diagram, and what is left when the kernel is gone."""

import time

import pytest
from classroom import alive, descendants, wait_until
from notebook_page import RUN, NotebookPage, diagram, prompt, words
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

BEGIN = "from netlab import Lab; lab = Lab()"


def test_three_lines_show_a_diagram_with_the_container(page, english):
    notebook = NotebookPage(page, english).open(english.new_notebook("first"))
    seen = words(diagram(notebook.run(f'{BEGIN}; lab.run("web", image="nginx"); lab')))
    assert {"docker0", "172.17.0.1/16", "web", "172.17.0.2/16"} <= set(seen)
    assert "DOWN" not in seen


@pytest.mark.parametrize("way", ["Shut Down Kernel", "Restart Kernel…"])
def test_the_lab_ends_with_its_kernel(way, page, english):
    notebook = NotebookPage(page, english).open(english.new_notebook("last"))
    notebook.run(f'{BEGIN}; lab.run("web", image="nginx")')
    (kernel,) = english.kernel_pids()
    sandbox = descendants(kernel)
    assert len(sandbox) >= 7, "the agent, the host, four of the internet, and the container"
    assert english.lab_names() == ["lab"]
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
