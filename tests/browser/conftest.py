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
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # ms: what comes at once on a quiet machine takes seconds on a busy one
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


def pytest_exception_interact(node):
    node.stash[FAILED] = True


@pytest.fixture(scope="session")
def visitor(browser):
    """What one visitor's pages share: the cache, above all."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-US") as context:
        yield context


@contextmanager
def _new_page(visitor):
    """A page; whatever it asks for must be on this machine. When it is closed, the kernels end."""
    asked = []
    page = visitor.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url))
    yield page
    page.close()
    for classroom in OPEN:
        classroom.end_kernels()
    addresses = [urlsplit(url) for url in asked]
    outside = [one for one in addresses if one.scheme not in ("data", "blob") and one.hostname not in OWN]
    assert asked
    assert not outside, "the page asked for something outside"


def _keep_picture_of_failure(page, test, artefacts):
    if test.stash.get(FAILED, False):
        page.screenshot(path=artefacts / f"failed-{name_of(test)}.png")


@pytest.fixture
def page(visitor, request, artefacts):
    """A page of its own for one test."""
    with _new_page(visitor) as page:
        yield page
        _keep_picture_of_failure(page, request.node, artefacts)


@pytest.fixture(scope="module")
def worksheet(visitor, english):
    """A notebook with a lab for a module's tests to share, since JupyterLab takes seconds to load."""
    with _new_page(visitor) as page:
        worksheet = NotebookPage(page, english).open(english.new_notebook("worksheet"))
        lost = []
        page.on("console", lambda said: lost.append(said.text) if "Connection lost" in said.text else None)
        worksheet.run("from netlab import Lab; lab = Lab()")
        yield worksheet
        assert not lost, "the page lost its kernel: what was on its way then never came"


@pytest.fixture
def notebook(worksheet, request, artefacts):
    """A notebook whose lab is as at its beginning, with one container."""
    worksheet.run('lab.reset(); web = lab.run("web", image="nginx")')
    yield worksheet
    _keep_picture_of_failure(worksheet.page, request.node, artefacts)


@pytest.fixture(scope="session")
def artefacts():
    """The folder for pictures that somebody may want to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS
