"""A notebook in the browser, used as a student uses it: keys, menus and the tool bar."""

import json
import re
from base64 import b64decode
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from classroom import PATIENCE, ROOT, wait_until
from playwright.sync_api import expect

MILLISECONDS = PATIENCE * 1000
BUSY = re.compile(r"\*")
IDLE = re.compile(r"\| (Idle|アイドル)")
RUN = re.compile(r"\[\d+\]")
SVG_TEXT = "{http://www.w3.org/2000/svg}text"


class NotebookPage:
    """One open notebook."""

    def __init__(self, page, classroom):
        self.page = page
        self.classroom = classroom
        self.panel = page.locator(".jp-NotebookPanel:visible")
        self.cells = self.panel.locator(".jp-Cell")
        self.code_cells = self.panel.locator(".jp-CodeCell")

    def open(self, path):
        return self.open_address(f"{self.classroom.base}/lab/tree/{path}?token={self.classroom.token}&reset")

    def open_address(self, address):
        """Open a notebook and wait until all of it is there and its kernel is idle."""
        self.page.goto(address)
        self.path = urlsplit(address).path.removeprefix("/lab/tree/")
        cells = json.loads((ROOT / self.path).read_text())["cells"]
        expect(self.cells).to_have_count(len(cells) or 1, timeout=MILLISECONDS)  # they come when the browser has time
        self.wait_for_kernel()
        return self

    def wait_for_kernel(self):
        """Wait until the notebook's kernel is connected and idle.

        The page says "idle" before there is a kernel, and what is run then is lost; so the server is asked as well.
        """
        wait_until(self.is_connected, f"the kernel of {self.path} is connected and idle")
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(IDLE, timeout=MILLISECONDS)

    def is_connected(self):
        kernel = self.classroom.kernel_of(self.path)
        return kernel["connections"] > 0 and kernel["execution_state"] == "idle"

    # ── cells ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, code):
        """Type code into the last cell and press Shift+Enter; return the cell, which may still be running."""
        number = self.code_cells.count() - 1
        cell = self.code_cells.nth(number)
        editor = cell.locator(".cm-content")
        editor.click()
        self.page.keyboard.insert_text(code)
        expect(editor).to_contain_text(code.splitlines()[-1].strip())
        self.page.keyboard.press("Shift+Enter")
        expect(self.code_cells).to_have_count(number + 2)
        return cell

    def run(self, code):
        """The same, and wait for the cell's end."""
        cell = self.start(code)
        self.wait_for_end(cell)
        return cell

    def wait_for_end(self, cell):
        expect(prompt(cell)).to_have_text(RUN, timeout=MILLISECONDS)

    def run_from_the_keyboard(self):
        """Press Shift+Enter in one cell after the other, from the first to the last; yield each code cell that ran."""
        self.cells.first.locator(".jp-Cell-inputWrapper").click()
        self.page.keyboard.press("Escape")
        for number in range(self.cells.count()):
            cell = self.cells.nth(number)
            expect(cell).to_have_class(re.compile("jp-mod-active"))
            self.page.keyboard.press("Shift+Enter")
            if "jp-CodeCell" in cell.get_attribute("class"):
                self.wait_for_end(cell)
                yield cell

    def run_again(self, cell):
        """Click beside a cell of the notebook, press Shift+Enter, and wait for its end."""
        cell.locator(".jp-InputArea-prompt").click()
        prompt(cell).evaluate("prompt => prompt.textContent = ''")  # so that the number which comes is of this run
        self.page.keyboard.press("Shift+Enter")
        self.wait_for_end(cell)
        return cell

    def write_into(self, cell, code):
        """Type code into a cell in place of what is there."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def stop_with_keys(self):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("i")
        self.page.keyboard.press("i")

    def stop_with_button(self):
        self.panel.locator('[data-jp-item-name="interrupt"]').click()

    # ── menus ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def choose(self, *titles):
        """Open a menu of the menu bar and choose what leads to the last title."""
        self.page.locator(".lm-MenuBar-item", has_text=titles[0]).click()
        for title in titles[1:]:
            label = self.page.locator(".lm-Menu-itemLabel").filter(has_text=re.compile(f"^{re.escape(title)}$"))
            label.last.click()

    def restart(self):
        self.choose("Kernel", "Restart Kernel…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.wait_for_kernel()

    def use_theme(self, name):
        self.choose("Settings", "Theme", name)
        expect(self.page.locator(f'body[data-jp-theme-name="{name}"]')).to_be_attached(timeout=MILLISECONDS)


def prompt(cell):
    return cell.locator(".jp-InputPrompt")


def output(cell):
    return cell.locator(".jp-OutputArea-output")


def svg_of(image):
    """The SVG text behind an image."""
    kind, _, data = image.get_attribute("src").partition(",")
    return b64decode(data).decode() if kind.endswith(";base64") else unquote(data)


def diagrams(cell):
    """The SVG text of each diagram that a cell shows, once the browser has drawn it."""
    images = cell.locator(".jp-OutputArea-output img")
    for image in images.all():
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("image => image.naturalWidth") > 100, "the browser could not draw it"
    return [svg_of(image) for image in images.all()]


def diagram(cell):
    """The SVG text of the one diagram that a cell shows."""
    expect(cell.locator(".jp-OutputArea-output img")).to_have_count(1)
    (only,) = diagrams(cell)
    return only


def words(svg):
    """The pieces of text in a diagram."""
    lines = ET.fromstring(svg).iter(SVG_TEXT)  # noqa: S314 - our own
    return [piece.strip() for line in lines for piece in line.itertext()]
