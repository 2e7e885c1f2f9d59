"""`netlab notebook` starts JupyterLab on the first chapter, as scripts/start does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from netlab.cli import course, main

ROOT = Path(__file__).parents[2]


class Started(Exception):
    """JupyterLab would run now."""


@pytest.fixture
def start(monkeypatch):
    """Return a way to run the command up to JupyterLab's start; it gives JupyterLab's arguments and environment."""
    monkeypatch.setattr(course, "_trust", lambda _: None)
    monkeypatch.setattr(os, "chdir", lambda _: None)

    def execve(_, argv, environment):
        raise Started(argv, environment)

    monkeypatch.setattr(os, "execve", execve)

    def run(*options):
        outcome = CliRunner().invoke(main, ["notebook", *options])
        assert isinstance(outcome.exception, Started), outcome.output
        return outcome.exception.args

    return run


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_opens_on_the_first_chapter_in_the_language(start, language):
    argv, environment = start("--lang", language)
    (address,) = [word for word in argv if "default_url" in word]
    chapter = address.partition("/lab/tree/")[2]
    assert chapter.startswith(f"notebooks/{language}/00-")
    assert (ROOT / chapter).is_file()
    assert environment["NETLAB_LANGUAGE"] == language
    assert environment["JUPYTER_CONFIG_PATH"].split(":")[0] == str(ROOT / "packaging/jupyter" / language)


def test_the_terminals_language_is_the_default(start, monkeypatch):
    monkeypatch.setenv("NETLAB_LANGUAGE", "ja_JP.UTF-8")
    assert start()[1]["NETLAB_LANGUAGE"] == "ja"


def test_port_and_browser_and_further_options_reach_jupyterlab(start):
    argv, _ = start("--port", "9001", "--no-browser", "--", "--IdentityProvider.token=x")
    assert {"--port=9001", "--no-browser", "--IdentityProvider.token=x"} <= set(argv)


def test_cells_find_the_programs_of_the_environment(start):
    _, environment = start()
    assert (Path(environment["PATH"].split(":")[0]) / "jupyter").exists()


def test_without_a_checkout_it_says_where_the_chapters_are(monkeypatch):
    monkeypatch.setattr(course, "__file__", "/usr/lib/python3/site-packages/netlab/cli/course.py")
    outcome = CliRunner().invoke(main, ["notebook"])
    assert outcome.exit_code == 1
    assert "scripts/start" in outcome.output
