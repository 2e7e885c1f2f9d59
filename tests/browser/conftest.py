"""Fixtures: JupyterLab as `scripts/start` gives it, and a browser that may talk to this machine only."""

import os
import re
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from classroom import NOTEBOOKS, ROOT, Classroom
from notebook_page import NotebookPage
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
OWN = {"127.0.0.1", "localhost"}
ARTEFACTS = Path(os.environ.get("NETLAB_ARTEFACTS", ROOT / "artefacts"))
OPEN = []  # the classrooms that are
FAILED = pytest.StashKey[bool]()


def name_of(test):
    return re.sub(r"[^\w]+", "-", test.name, flags=re.ASCII).strip("-")


@contextmanager
def _open_classroom(language, factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    classroom = Classroom(language, port, factory.mktemp("student"))
    try:
        OPEN.append(classroom.open())
        yield classroom
    finally:
        classroom.close()
        shutil.rmtree(NOTEBOOKS, ignore_errors=True)


@pytest.fixture(scope="session")
def english(tmp_path_factory):
    """A student's JupyterLab in English."""
    with _open_classroom("en", tmp_path_factory) as classroom:
        yield classroom


@pytest.fixture(scope="session")
def japanese(tmp_path_factory):
    """A student's JupyterLab in Japanese."""
    with _open_classroom("ja", tmp_path_factory) as classroom:
        yield classroom


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.stash.setdefault(FAILED, False)
    item.stash[FAILED] |= report.failed
    return report


@pytest.fixture(scope="session")
def visitor(browser):
    """What one visitor's pages share: the cache, above all."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-US") as context:
        yield context


@pytest.fixture
def page(visitor, request, artefacts):
    """A new page. Whatever it asks for must be on this machine. A failed test leaves a picture of it."""
    asked = []
    page = visitor.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url))
    yield page
    if request.node.stash.get(FAILED, False):
        page.screenshot(path=artefacts / f"failed-{name_of(request.node)}.png")
    page.close()
    for classroom in OPEN:
        classroom.end_kernels()
    outside = {url for url in asked if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname not in OWN}
    assert asked
    assert not outside, "the page asked for something outside"


@pytest.fixture
def notebook(page, english, request):
    """A new, empty notebook."""
    return NotebookPage(page, english).open(english.new_notebook(name_of(request.node)))


@pytest.fixture(scope="session")
def artefacts():
    """The folder for pictures that somebody may want to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS
