"""Reading the live diagram: with the keyboard, with a screen reader, by looking closer, and acting on what is chosen."""

import re

import pytest
from classroom import wait_until
from live_page import LiveDiagram, terminal
from notebook_page import MILLISECONDS
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def live(notebook):
    """The live diagram of a lab with two containers, web and app."""
    notebook.run('app = lab.run("app")')
    yield LiveDiagram(notebook.run("lab.show()"))
    notebook.choose("Edit", "Clear Outputs of All Cells")


def test_the_keyboard_reaches_everything_and_nothing_is_lost_to_jupyterlab(live):
    keyboard = live.page.keyboard
    cells = live.page.locator(".jp-NotebookPanel:visible .jp-Cell").count()
    live.button("Large view for a projector").focus()
    keyboard.press("Tab")
    assert live.focused(), "Tab leads from the tools into the picture"
    keyboard.press("End")
    keyboard.press("Home")
    seen = {live.focused()}
    for key in ["ArrowDown"] * 12 + ["ArrowRight"] * 4 + ["ArrowUp"] * 12:
        keyboard.press(key)
        seen.add(live.focused())
    assert {"interface/host/eth0", "interface/host/docker0", "interface/web/eth0"} <= seen, seen
    assert len(seen & {"place/web", "place/app"}) > 0
    keyboard.press("/")
    keyboard.type("web")
    keyboard.press("Enter")
    expect(live.panel.locator("h3")).to_have_text("web")
    assert live.focused() == "place/web"
    keyboard.press("Tab")
    assert live.panel.evaluate("panel => panel.contains(document.activeElement)")
    keyboard.press("Escape")
    expect(live.panel).to_be_hidden()
    assert live.focused() == "place/web"
    assert live.page.locator(".jp-NotebookPanel:visible .jp-Cell").count() == cells, (
        "no key was a command to the notebook"
    )


def test_the_focus_survives_a_change_of_what_has_it(live, english):
    live.page.keyboard.press("Escape")
    live.element("interface/host/docker0").focus()
    with terminal(english) as shell:
        shell.type("ip link set docker0 down")
        expect(live.element("interface/host/docker0")).to_contain_text("DOWN")
        assert live.focused() == "interface/host/docker0"


def test_a_screen_reader_finds_a_name_for_everything_and_hears_of_changes(live, english):
    named = live.picture.locator("[role][data-id]")
    assert named.count() > 12
    for one in named.all():
        label = one.get_attribute("aria-label")
        assert len(label) > 3
        assert "undefined" not in label
    assert live.picture.locator('[tabindex="0"]').count() == 1
    for button in live.root.get_by_role("button").all():
        assert button.evaluate("one => one.ariaLabel || one.textContent.trim()")
    with terminal(english, "web") as shell:
        shell.type("ip link set eth0 down")
    expect(live.root.get_by_role("status")).to_contain_text("eth0")


def test_the_panel_says_what_the_kernel_says_and_its_lines_can_be_copied(live, english):
    live.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    live.choose("place/web")
    expect(live.panel.locator("h3")).to_have_text("web")
    with terminal(english, "web") as shell:
        (eth0,) = shell.ask("ip -j link show eth0")
        expect(live.panel.get_by_role("table", name="Interfaces")).to_contain_text(eth0["address"])
        expect(live.panel.get_by_role("table", name="Routes")).to_contain_text("172.17.0.1")
        section = live.panel.locator("details", has_text="Routes")
        section.get_by_role("button", name="Copy").click()
        copied = live.page.evaluate("navigator.clipboard.readText()")
        assert "web" in copied
        assert "ip route" in copied
        shell.type("ip route add 10.77.0.0/16 via 172.17.0.1")
        expect(live.panel.get_by_role("table", name="Routes")).to_contain_text("10.77.0.0/16")


def test_rules_are_read_without_scrolling_to_the_side(live):
    live.element("nat/host").focus()
    live.page.keyboard.press("Enter")
    table = live.panel.locator(".netlab-table")
    expect(table).to_contain_text("masquerade")
    assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 1


def test_a_button_shows_its_command_before_and_what_became_of_it_after(live, english):
    live.choose("interface/web/eth0")
    action = live.panel.locator(".netlab-action", has_text="ip link set").filter(has_text="down")
    expect(action.locator("code")).to_contain_text("ip link set")
    with terminal(english, "web") as shell:
        action.get_by_role("button").click()
        expect(live.panel.locator(".netlab-outcome.netlab-ok")).to_contain_text("ip link set", timeout=MILLISECONDS)
        (eth0,) = shell.ask("ip -j link show eth0")
        assert "UP" not in eth0["flags"]
        expect(live.element("interface/web/eth0")).to_contain_text("DOWN")
        again = live.panel.locator(".netlab-action", has_text="ip link set").filter(has_text="up")
        again.get_by_role("button").click()
        wait_until(lambda: "UP" in shell.ask("ip -j link show eth0")[0]["flags"], "the link is up again")
    expect(live.element("interface/web/eth0")).not_to_contain_text("DOWN")


def test_what_is_in_a_folded_network_is_found_by_its_name(live):
    live.button("Fold networks").click()
    live.button("Fold all").click()
    expect(live.place("app")).to_have_count(0)
    box = live.picture.locator('[data-id^="fold/"]')
    expect(box.first).to_contain_text("2")
    live.page.keyboard.press("Escape")
    live.root.get_by_role("combobox").fill("app")
    live.page.keyboard.press("Enter")
    expect(live.place("app")).to_be_visible()
    expect(live.panel.locator("h3")).to_have_text("app")


def test_zoom_and_fit(live):
    live.wait_until_calm()
    web = live.place("web")
    before = web.bounding_box()
    live.button("Zoom in (+)").click()
    live.wait_until_calm()
    assert web.bounding_box()["width"] > before["width"] * 1.2
    stage = live.root.locator(".netlab-stage").bounding_box()
    middle = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    at = web.bounding_box()
    live.page.mouse.move(*middle)
    live.page.mouse.down()
    live.page.mouse.move(middle[0] + 120, middle[1] + 30, steps=5)
    live.page.mouse.up()
    assert web.bounding_box()["x"] - at["x"] > 60, "what is dragged moves along"
    expect(live.panel).to_be_hidden()
    live.button("Show all (0)").click()
    live.wait_until_calm()
    assert web.bounding_box()["width"] == pytest.approx(before["width"], rel=0.02)
    live.page.mouse.move(*middle)
    live.page.keyboard.down("Control")
    live.page.mouse.wheel(0, -200)
    live.page.keyboard.up("Control")
    wait_until(lambda: web.bounding_box()["width"] > before["width"] * 1.3, "Ctrl and the wheel zoom")


FRAMES = """() => new Promise((found) => {
    const taken = [];
    let last = performance.now();
    requestAnimationFrame(function next(now) {
        taken.push(now - last);
        last = now;
        if (taken.length < 30) requestAnimationFrame(next);
        else found(taken.sort((one, other) => one - other)[Math.floor(taken.length * 0.9)]);
    });
})"""


LONGEST = """() => {
    window.longest = 0;
    let last = performance.now();
    requestAnimationFrame(function next(now) {
        window.longest = Math.max(window.longest, now - last);
        last = now;
        requestAnimationFrame(next);
    });
}"""


def test_a_hundred_containers_stay_usable(live, notebook, english, artefacts):
    notebook.run('many = lab.run_many([f"c{n}" for n in range(98)])')
    folded = live.picture.locator('[data-id^="fold/"]')
    expect(folded).to_be_attached(timeout=MILLISECONDS)  # by itself: nobody can read a hundred boxes
    live.page.screenshot(path=artefacts / "live-100-folded.png")
    live.button("Fold networks").click()
    live.button("Unfold all").click()
    expect(live.place("c97")).to_be_attached(timeout=MILLISECONDS)
    live.page.keyboard.press("Escape")
    live.wait_until_calm()
    live.page.screenshot(path=artefacts / "live-100.png")
    for _ in range(4):
        live.button("Zoom in (+)").click()
    assert live.page.evaluate(FRAMES) < 200, "the picture moves while it zooms"
    live.root.get_by_role("combobox").fill("c55")
    live.page.keyboard.press("Enter")
    expect(live.panel.locator("h3")).to_have_text("c55")
    live.wait_until_calm()
    assert live.place("c55").bounding_box()["width"] > 60, "large enough to read"
    live.page.screenshot(path=artefacts / "live-100-found.png")
    with terminal(english, "c55") as shell:
        shell.type("ip link set eth0 down")
        expect(live.element("interface/c55/eth0")).to_contain_text("DOWN")


def test_a_thousand_containers_do_not_freeze_the_page(live, notebook, english, artefacts):
    """Four networks of 250, folded by themselves; the page goes on drawing while they come, and one is found by its name."""
    live.page.evaluate(LONGEST)
    for n in range(4):
        notebook.run(f'lab.network("n{n}"); many = lab.run_many([f"c{n}-{{k}}" for k in range(250)], network="n{n}")')
    boxes = live.picture.locator('[data-id^="fold/host/br-"]').filter(has_text="250")
    expect(boxes).to_have_count(4, timeout=MILLISECONDS)
    assert live.page.evaluate("window.longest") < 1000, "ms between two pictures of the page"
    live.wait_until_calm()
    live.page.screenshot(path=artefacts / "live-1000-folded.png")
    with terminal(english, "c2-77") as shell:
        shell.type("ip link set eth0 down")
        expect(live.sentence).to_contain_text("c2-77", timeout=MILLISECONDS)
    live.root.get_by_role("combobox").fill("c2-77")
    live.page.keyboard.press("Enter")
    expect(live.panel.locator("h3")).to_have_text("c2-77", timeout=MILLISECONDS)
    expect(live.element("interface/c2-77/eth0")).to_contain_text("DOWN", timeout=MILLISECONDS)
    live.wait_until_calm()
    assert live.page.evaluate("window.longest") < 1500, "also when 250 boxes are unfolded"


def test_the_picture_can_be_saved(live, artefacts):
    for ending, begins in {"SVG": b"<svg", "PNG": b"\x89PNG"}.items():
        live.button("Save the picture").click()
        with live.page.expect_download() as download:
            live.root.get_by_role("button", name=ending, exact=True).click()
        path = artefacts / f"live-saved.{ending.lower()}"
        download.value.save_as(path)
        assert download.value.suggested_filename == f"lab.{ending.lower()}"
        content = path.read_bytes()
        assert content.startswith(begins)
        if ending == "SVG":
            assert b"172.17.0.2/16" in content
            assert not re.search(rb"var\(|data-id|<script", content), "plain SVG that any program reads"


def test_the_large_view_fills_the_screen_and_escape_leaves_it(live):
    live.button("Large view for a projector").click()
    expect(live.root).to_have_class(re.compile("netlab-large"))
    size = live.page.viewport_size
    wait_until(lambda: live.root.bounding_box()["width"] >= size["width"] - 1, "it is as wide as the screen")
    assert live.root.bounding_box()["height"] >= size["height"] - 1
    live.button("Leave the large view (Esc)").click()
    expect(live.root).not_to_have_class(re.compile("netlab-large"))
    assert live.root.bounding_box()["width"] < size["width"]
