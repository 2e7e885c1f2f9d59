"""Labs for the kernel tests, apart from the labs of whoever else works on this machine."""

from __future__ import annotations

import shutil
import tempfile

import pytest
from outside import Traces

from netlab import Lab

# Where tests run side by side, what takes longest has to begin first.
_FIRST = (
    "test_random_life.py",
    "test_faults_inflicted.py",
    "test_engine_faults.py",
    "test_challenges.py",
    "test_script.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the longest files first; the tests of one file stay in their order."""
    items.sort(key=lambda item: item.path.name not in _FIRST)


@pytest.fixture(scope="session", autouse=True)
def runtime_directory():
    """Keep the suite's labs apart from others, in a folder with a short path (that of a socket has 107 bytes)."""
    folder = tempfile.mkdtemp(prefix="nl-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETLAB_RUNTIME_DIR", folder)
        patch.setenv("NETLAB_LANGUAGE", "en")
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _gone_without_a_trace(**options):
    with Lab(**options) as lab:
        yield lab
        traces = None if lab.closed else Traces(lab)
    if traces is not None:
        traces.wait_until_gone()


@pytest.fixture
def lab():
    """A lab with docker0, as a notebook has it; after the test it must leave nothing."""
    yield from _gone_without_a_trace()


@pytest.fixture
def bare():
    """A lab without docker0, for building by hand."""
    yield from _gone_without_a_trace(docker=False)


@pytest.fixture
def make_lab():
    """Make more labs in a test; they are closed at its end."""
    made = []

    def make(*arguments, **options):
        made.append(Lab(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def shared():
    """One lab for a module whose tests only look: with a web server and an idle container."""
    with Lab() as lab:
        lab.run("web", image="nginx")
        lab.run("box", image="alpine")
        yield lab
        traces = Traces(lab)
    traces.wait_until_gone()
