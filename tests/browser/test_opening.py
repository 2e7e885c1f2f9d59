"""What a student meets first: the address that scripts/start prints, and the chapters as they were stored."""

import re

import pytest
from notebook_page import MILLISECONDS, NotebookPage, diagram, diagrams, svg_of, words
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TITLES = {"en": "00 Introduction and an everyday analogy", "ja": "00 はじめに・日常の例え"}
MENUS = {"en": ["File", "Edit", "View", "Run"], "ja": ["ファイル", "編集", "表示", "実行"]}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_printed_address_opens_the_first_chapter_with_its_diagrams(language, page, request, artefacts):
    classroom = request.getfixturevalue({"en": "english", "ja": "japanese"}[language])
    chapter = NotebookPage(page, classroom).open_address(classroom.address)
    expect(chapter.cells.first.locator("h1")).to_contain_text(TITLES[language])
    assert page.locator(".lm-MenuBar-itemLabel").all_inner_texts()[:4] == MENUS[language]
    first = chapter.panel.locator(".jp-OutputArea-output img").first
    expect(first).to_be_attached(timeout=MILLISECONDS)
    first.scroll_into_view_if_needed()
    page.screenshot(path=artefacts / f"opening-{language}.png")
    stored = diagrams(chapter.panel)
    assert len(stored) >= 3
    assert "docker0" in words(stored[0])
    assert not classroom.lab_names(), "a chapter that is only read starts no lab"


def test_a_chapter_runs_cell_by_cell_from_the_keyboard_and_its_diagram_grows(page, english, artefacts):
    chapter = NotebookPage(page, english).open("notebooks/en/01-big-picture.ipynb")
    chapter.choose("Edit", "Clear Outputs of All Cells")
    expect(chapter.panel.locator(".jp-OutputArea-output")).to_have_count(0)
    seen = []
    for cell in chapter.run_from_the_keyboard():
        expect(cell.locator('[data-mime-type*="error"], [data-mime-type*="stderr"]')).to_have_count(0)
        if cell.locator(".jp-OutputArea-output img").count():
            seen.append(words(diagram(cell)))
            page.screenshot(path=artefacts / f"chapter-01-diagram-{len(seen)}.png")
    assert len(seen) >= 6
    ours = seen[:-1]  # the last one is of a lab that the runtime built
    assert "docker0" not in ours[0]
    assert {"docker0", "172.17.0.1/16"} <= set(ours[-1])
    assert any("172.17.0.3" in line for line in ours[-1])
    assert [len(lines) for lines in ours] == sorted(len(lines) for lines in ours), "it grows"
    assert len(ours[-1]) > 2 * len(ours[0])


def test_a_diagram_that_is_wider_than_the_page_shrinks_to_fit(page, english):
    page.set_viewport_size({"width": 900, "height": 900})
    chapter = NotebookPage(page, english).open("notebooks/en/03-veth-pair.ipynb")
    widest = chapter.panel.locator(".jp-RenderedSVG img").first
    expect(widest).to_be_attached(timeout=MILLISECONDS)
    widest.scroll_into_view_if_needed()
    room = chapter.panel.locator(".jp-OutputArea-output:has(img)").first.bounding_box()
    assert widest.evaluate("image => image.naturalWidth") > room["width"], "else this shows nothing"
    assert widest.bounding_box()["width"] <= room["width"]


def test_an_exported_chapter_shows_its_diagrams_without_a_network(browser, english):
    exported = english.fetch("GET", "nbconvert/html/notebooks/en/01-big-picture.ipynb").decode()
    plain = english.fetch("GET", f"nbconvert/html/{english.new_notebook('empty')}").decode()
    links = re.compile(r"""(?:src|href)=["'](https?://[^"']+)["']""")
    assert set(links.findall(exported)) <= set(links.findall(plain)), "nothing but what nbconvert itself links to"
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.set_content(exported, wait_until="domcontentloaded")
        pictures = page.locator(".jp-OutputArea-output img[src^='data:image/svg+xml;base64,']")
        assert pictures.count() >= 6
        for picture in pictures.all():
            assert picture.bounding_box()["width"] > 100
            assert "eth0" in words(svg_of(picture))
