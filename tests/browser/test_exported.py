"""The chapters as pages of `scripts/export-html`: as in JupyterLab, folded, leading to each other, without the internet."""

import os
import re
import subprocess
import sys
from urllib.parse import quote

import pytest
from classroom import ROOT
from readable import unreadable

pytestmark = pytest.mark.browser

A_SCREEN = 800  # pixels
LOOK = """() => ({
    open: [...document.querySelectorAll("details[open]:not(.netlab-condition)")].map((one) => one.innerText),
    folded: document.querySelectorAll("details").length,
    heights: [...document.querySelectorAll(".jp-OutputArea")].map((one) => one.getBoundingClientRect().height),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    broken: [...document.images].filter((one) => !one.naturalWidth).map((one) => one.src),
    links: [...document.querySelectorAll("a[href]:not(.anchor-link)")].map((one) => one.getAttribute("href")),
    places: [...document.querySelectorAll("[id]")].map((one) => one.id),
})"""


def export(folder, *options):
    environment = {**os.environ, "NETLAB_VENV": sys.prefix}
    command = [sys.executable, ROOT / "scripts" / "export-html", folder, *options]
    subprocess.run(command, check=True, capture_output=True, timeout=110, env=environment)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder with all pages."""
    folder = tmp_path_factory.mktemp("pages")
    export(folder)
    return folder


@pytest.fixture
def open_page(visitor):
    """Open a file; the page may ask for nothing else."""
    asked = []
    page = visitor.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.route(re.compile("^https?:"), lambda route: route.abort())

    def open_(path):
        page.goto(f"file://{quote(str(path))}")
        return page

    yield open_
    page.close()
    assert not [one for one in asked if not one.startswith(("file:", "data:"))]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_is_complete_and_leads_to_the_others(language, pages, open_page):
    written = sorted((pages / language).glob("*.html"))
    assert [one.stem for one in written] == sorted(one.stem for one in (ROOT / "notebooks" / language).glob("*.ipynb"))
    seen = {path.name: open_page(path).evaluate(LOOK) for path in written}
    for name, look in seen.items():
        assert not look["open"], name
        assert look["folded"], name
        assert max(look["heights"]) < A_SCREEN, name
        assert look["wide"] == 0, name
        assert not look["broken"], name
        for link in look["links"]:
            target, _, place = link.partition("#")
            if not target.startswith("https://"):
                assert target in seen, f"{name}: {link}"
                assert not place or place in seen[target]["places"], f"{name}: {link}"


@pytest.mark.parametrize("options", [(), ("--dark",)], ids=["light", "dark"])
def test_what_netlab_says_can_be_read_on_the_page(options, pages, open_page, tmp_path, artefacts):
    folder = pages
    if options:
        folder = tmp_path
        export(folder, *options)
    page = open_page(folder / "en" / "06-port-mapping.html")
    for output in page.locator(
        ".jp-OutputArea-output.jp-RenderedHTML, .jp-OutputArea-output.jp-RenderedHTMLCommon"
    ).all():
        assert not unreadable(output), output.inner_text()
    page.screenshot(path=artefacts / f"exported{''.join(options)}.png")
