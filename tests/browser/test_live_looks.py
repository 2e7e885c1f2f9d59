"""How the live diagram looks: it can be read in both themes and both languages. The pictures are kept to be looked at."""

import pytest
from live_page import LiveDiagram
from playwright.sync_api import expect
from readable import unreadable

pytestmark = pytest.mark.browser

SHOP = """lab.reset()
lab.run("web", image="nginx", publish="8080:80"); lab.run("app")
lab.network("my-network"); lab.run("db", network="my-network"); lab.run("api", network="my-network")
lab["api"].link("eth0").down()"""


@pytest.fixture
def window(worksheet):
    """The notebook, in a window that a laptop has; afterwards as it was."""
    before = worksheet.page.viewport_size
    worksheet.page.set_viewport_size({"width": 1440, "height": 900})
    yield worksheet
    worksheet.choose("Edit", "Clear Outputs of All Cells")
    worksheet.page.set_viewport_size(before)


def picture(live, artefacts, name):
    live.root.scroll_into_view_if_needed()
    live.wait_until_calm()
    live.page.screenshot(path=artefacts / f"live-{name}.png")
    live.root.screenshot(path=artefacts / f"live-{name}-alone.png")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_lab_with_two_networks_can_be_read(theme, language, window, artefacts):
    window.use_theme(theme)
    window.run(f"import netlab; netlab.language({language!r})")
    window.run(SHOP)
    live = LiveDiagram(window.run("lab.show()"))
    name = f"{theme.split()[-1].lower()}-{language}"
    try:
        picture(live, artefacts, name)
        live.choose("place/web")
        expect(live.panel.get_by_role("table").first).to_be_visible()
        picture(live, artefacts, f"{name}-panel")
        assert not unreadable(live.root)
    finally:
        window.run("netlab.language('en')")
        window.use_theme("JupyterLab Light")


def test_two_hosts_with_a_tunnel_can_be_read(window, artefacts):
    window.run('two = Lab("two", hosts=2)')
    window.run(
        'two.network("shop", driver="overlay"); two.run("web", image="nginx", network="shop")\n'
        'two.run("db", network="shop", host="host2")'
    )
    live = LiveDiagram(window.run("two.show()"))
    expect(live.picture.locator('[data-id^="tunnel/"]').first).to_be_visible()
    picture(live, artefacts, "two-hosts")
    assert not unreadable(live.root)
    window.run("two.close()")


def test_in_a_narrow_window_everything_can_still_be_reached(window, artefacts):
    window.run(SHOP)
    live = LiveDiagram(window.run("lab.show()"))
    window.page.set_viewport_size({"width": 820, "height": 900})
    live.choose("place/web")
    picture(live, artefacts, "narrow")
    room = live.root.bounding_box()
    for part in (live.panel, *live.root.get_by_role("button").all()):
        if part.is_visible():
            box = part.bounding_box()
            assert box["x"] + box["width"] <= room["x"] + room["width"] + 1, part


def test_the_large_view_is_for_the_last_row(window, artefacts):
    window.run(SHOP)
    live = LiveDiagram(window.run("lab.show()"))
    live.wait_until_calm()
    name = live.place("web").locator("text").last
    before = name.bounding_box()["height"]
    live.button("Large view for a projector").click()
    live.wait_until_calm()
    window.page.screenshot(path=artefacts / "live-large.png")
    assert name.bounding_box()["height"] > before * 1.1
    live.choose("place/web")
    live.wait_until_calm()
    window.page.screenshot(path=artefacts / "live-large-panel.png")
    live.page.keyboard.press("Escape")
    live.button("Leave the large view (Esc)").click()
