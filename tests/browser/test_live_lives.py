"""Several diagrams at once, and what becomes of one: the lab closed, the kernel restarted, the notebook saved and opened."""

import json
import re

import pytest
from classroom import ROOT, wait_until
from live_page import LiveDiagram, listen_for_complaints, terminal
from notebook_page import MILLISECONDS, NotebookPage, diagram, words
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

BEGIN = "from netlab import Lab; lab = Lab(); web = lab.run('web', image='nginx')"
TWICE = """page => {
    const ids = [...page.querySelectorAll(".netlab-live [id]")].map((one) => one.id);
    return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""


@pytest.fixture
def fresh(page, english, request):
    """A notebook and a kernel of its own, with what its page complained of."""
    complaints = listen_for_complaints(page)
    notebook = NotebookPage(page, english).open(english.new_notebook(request.node.name[:40]))
    notebook.complaints = complaints
    return notebook


def shown(notebook, code="lab.show()"):
    return LiveDiagram(notebook.run(code))


def save(notebook):
    """Save as a student does; return what is in the file."""
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("Control+s")
    path = ROOT / notebook.path
    wait_until(lambda: "lab.show()" in path.read_text(), "the notebook is saved")
    return json.loads(path.read_text())


def test_two_views_of_one_lab_both_follow_and_each_has_a_choice_of_its_own(fresh, english):
    fresh.run(BEGIN)
    first, second = shown(fresh), shown(fresh)
    second.choose("place/web")
    expect(first.panel).to_be_hidden()
    with terminal(english) as shell:
        shell.type("ip link set docker0 down")
    for live in (first, second):
        expect(live.element("interface/host/docker0")).to_contain_text("DOWN")
    assert fresh.panel.evaluate(TWICE) == []
    assert fresh.panel.locator(".netlab-live svg.netlab-picture [id]").count() == 0
    assert not fresh.complaints


def test_two_labs_on_one_page_keep_to_themselves(fresh, english):
    fresh.run(f"{BEGIN}; other = Lab('other'); other.run('db')")
    first, second = shown(fresh), shown(fresh, "other.show()")
    with terminal(english, lab="other") as shell:
        shell.type("ip link set docker0 down")
    expect(second.element("interface/host/docker0")).to_contain_text("DOWN")
    expect(second.place("db")).to_be_visible()
    expect(first.element("interface/host/docker0")).not_to_contain_text("DOWN")
    expect(first.place("db")).to_have_count(0)


def test_a_lab_that_is_closed_says_so_and_stays_readable(fresh, english):
    fresh.run(BEGIN)
    live = shown(fresh)
    fresh.run("lab.close()")
    expect(live.root).to_have_attribute("data-state", "closed")
    expect(live.root.locator(".netlab-notice")).to_be_visible()
    expect(live.place("web")).to_be_visible()
    assert english.lab_names() == []
    assert not fresh.complaints


def test_a_lab_that_is_reset_begins_anew_in_the_same_view(fresh):
    fresh.run(BEGIN)
    live = shown(fresh)
    fresh.run("lab.reset()")
    expect(live.place("web")).to_have_count(0)
    expect(live.place("host")).to_be_visible()
    fresh.run("lab.run('again')")
    expect(live.place("again")).to_be_visible()
    expect(live.root).to_have_attribute("data-state", "live")


def test_the_language_can_be_chosen(fresh):
    fresh.run("import netlab; netlab.language('ja')")
    fresh.run(BEGIN)
    live = shown(fresh)
    expect(live.root).to_have_attribute("lang", "ja")
    expect(live.picture).to_contain_text("インターネット")
    expect(live.button("全体を表示 (0)")).to_be_visible()
    live.choose("place/web")
    expect(live.panel).to_contain_text("インターフェース")


def test_a_restarted_kernel_leaves_the_last_picture_and_no_error(fresh, english):
    fresh.run(BEGIN)
    live = shown(fresh)
    live.choose("place/web")
    fresh.choose("Kernel", "Restart Kernel…")
    fresh.page.get_by_role("button", name="Confirm Kernel Restart").click()
    wait_until(lambda: english.lab_names() == [], "the lab has ended with its kernel")
    fresh.wait_for_kernel()
    still = live.cell.locator(".jp-OutputArea-output img")
    wait_until(
        lambda: live.root.get_attribute("data-state") == "ended" if live.root.count() else still.is_visible(),
        "the last picture is there",
    )
    expect(live.cell).not_to_contain_text(re.compile("error", re.IGNORECASE))
    assert not fresh.complaints
    fresh.run(BEGIN)
    expect(shown(fresh).place("web")).to_be_visible()


def test_a_saved_notebook_shows_its_last_picture_without_a_kernel_and_no_error(fresh, english, browser):
    fresh.run(BEGIN)
    live = shown(fresh)
    with terminal(english) as shell:
        shell.type("ip link set docker0 down")
        expect(live.element("interface/host/docker0")).to_contain_text("DOWN")

    def last_picture_is_saved():
        outputs = [output for cell in save(fresh)["cells"] for output in cell.get("outputs", [])]
        return any("DOWN ✕" in "".join(one["data"].get("image/svg+xml", "")) for one in outputs)

    wait_until(last_picture_is_saved, "the saved picture shows the last state")
    assert not re.search(r'"model_id": "[^"]', (ROOT / fresh.path).read_text()), "nothing asks for the widget"
    fresh.page.goto("about:blank")
    english.end_kernels()
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        complaints = listen_for_complaints(page)
        page.goto(f"{english.base}/lab/tree/{fresh.path}?token={english.token}&reset")
        picture = page.locator(".jp-NotebookPanel .jp-OutputArea-output img")
        expect(picture).to_be_visible(timeout=MILLISECONDS)
        page.wait_for_function("document.querySelector('#jp-main-statusbar')?.textContent.match(/Idle|No Kernel/)")
        assert "web" in words(diagram(page.locator(".jp-NotebookPanel")))
        panel = page.locator(
            ".jp-NotebookPanel"
        )  # JupyterLab says "Loading widget..." until it finds that there is none
        wait_until(
            lambda: not re.search("not found|loading|error", panel.inner_text(), re.IGNORECASE),
            "no word of a missing widget",
        )
        assert not [one for one in complaints if "widget" in one.lower()]
    exported = english.fetch("GET", f"nbconvert/html/{fresh.path}").decode()
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.set_content(exported, wait_until="domcontentloaded")
        expect(page.locator(".jp-OutputArea-output :is(img, svg.netlab)")).to_have_count(1)


def test_when_the_output_is_cleared_nothing_is_left_running(fresh):
    fresh.run(BEGIN)
    shown(fresh)
    fresh.choose("Edit", "Clear Outputs of All Cells")
    expect(fresh.panel.locator(".netlab-live")).to_have_count(0)
    fresh.run("lab.close()")
    fresh.run("import threading; ours = [one for one in threading.enumerate() if one.name.startswith('netlab')]")
    left = fresh.run("for one in ours: one.join(5)\nprint([one.name for one in ours if one.is_alive()])")
    expect(left.locator(".jp-OutputArea-output")).to_have_text("[]")


def test_notebook_7_shows_it_too(page, english, artefacts):
    path = english.new_notebook("classic")
    page.goto(f"{english.base}/notebooks/{path}?token={english.token}")
    cells = page.locator(".jp-CodeCell")
    expect(page.locator(".jp-NotebookKernelStatus, .jp-NotebookKernelLogo").first).to_be_attached(timeout=MILLISECONDS)
    wait_until(lambda: english.kernel_of(path)["execution_state"] == "idle", "the kernel is idle")
    for number, code in enumerate([BEGIN, "lab.show()"]):
        cells.nth(number).locator(".cm-content").click()
        page.keyboard.insert_text(code)
        page.keyboard.press("Shift+Enter")
        expect(cells.nth(number).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=MILLISECONDS)
    live = LiveDiagram(cells.nth(1))
    expect(live.place("web")).to_be_visible()
    with terminal(english) as shell:
        shell.type("ip link set docker0 down")
    expect(live.element("interface/host/docker0")).to_contain_text("DOWN")
    live.choose("place/web")
    expect(live.panel.get_by_role("table").first).to_be_visible()
    live.wait_until_calm()
    page.screenshot(path=artefacts / "live-notebook-7.png")
