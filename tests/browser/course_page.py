"""A chapter of the course in the browser: its cells by their code, its predictions and its challenges."""

import json

from classroom import NOTEBOOKS, ROOT
from notebook_page import MILLISECONDS, NotebookPage
from playwright.sync_api import expect


class ChapterPage(NotebookPage):
    """A student's own copy of a chapter, not run yet."""

    def open_chapter(self, stem):
        language = self.classroom.language
        NOTEBOOKS.mkdir(parents=True, exist_ok=True)
        copy = NOTEBOOKS / f"{stem}.ipynb"
        content = json.loads((ROOT / "notebooks" / language / copy.name).read_text())
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        copy.write_text(json.dumps(content))
        self.sources = ["".join(cell["source"]) for cell in content["cells"]]
        return self.open(copy.relative_to(ROOT).as_posix())

    def cell(self, source, *, after=0):
        """The first cell whose text begins so."""
        number = next(at for at, text in enumerate(self.sources) if at >= after and text.startswith(source))
        return self.cells.nth(number)

    def run_on_to(self, source):
        """Run the cells that have not been run yet, up to the one whose code begins so; return that one."""
        last = next(at for at, text in enumerate(self.sources) if text.startswith(source))
        self._run_up_to(last)
        return self.cells.nth(last)

    def run_to_end(self):
        self._run_up_to(len(self.sources) - 1)

    def _run_up_to(self, last):
        for number in range(self.done, last + 1):
            cell = self.cells.nth(number)
            if "jp-CodeCell" in cell.get_attribute("class"):
                self.run_again(cell)
        self.done = last + 1

    done = 0  # how many cells have been run

    def progress(self):
        """What the line at the top says after its cell is run again."""
        return self.run_again(self.cell("from netlab.course import")).locator("summary").inner_text()


def static_form(cell):
    """What a saved notebook shows of the cell."""
    return cell.locator(".jp-RenderedHTMLCommon")


class Question:
    """A prediction that a cell shows."""

    def __init__(self, cell):
        self.root = cell.locator(".jp-OutputArea-child > .netlab-choice")
        expect(self.root).to_be_visible(timeout=MILLISECONDS)
        self.options = self.root.get_by_role("radio")
        self.status = self.root.get_by_role("status")

    def option(self, number):
        return self.root.locator("label").nth(number)


class Challenge:
    """A challenge that a cell shows."""

    def __init__(self, cell):
        self.root = cell.locator(".jp-OutputArea-child > .netlab-sheet")
        expect(self.root).to_be_visible(timeout=MILLISECONDS)
        self.status = self.root.get_by_role("status")
        self.missing = self.root.locator(".missing")
        self.hints = self.root.locator(".help p")
        self.solution = self.root.locator("pre")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()
