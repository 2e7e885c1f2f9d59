"""What the scripts promise before anything is installed, and when nothing is missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command, **environment):
    return subprocess.run(
        [ROOT / command[0], *command[1:]],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def bare_machine(tmp_path):
    """The environment of a Debian user who has no packages and no way to become root."""
    for name, body in {"dpkg-query": "exit 1", "sudo": "exit 1", "id": "echo 1000", "apt-get": "exit 99"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "NETLAB_VENV": str(tmp_path / "venv"),
        "NETLAB_PYTHON": sys.executable,
    }


def test_without_root_the_line_that_installs_what_is_missing_is_printed(bare_machine):
    refused = run("scripts/start", "--no-browser", **bare_machine)
    assert refused.returncode == 1
    (line,) = refused.stdout.splitlines()
    assert line.startswith("sudo apt-get update && sudo apt-get install -y --no-install-recommends iproute2 nftables ")
    assert "python3" not in line, "a usable Python was there"
    assert not Path(bare_machine["NETLAB_VENV"]).exists()


def test_without_a_usable_python_it_is_on_that_line(bare_machine):
    refused = run("scripts/setup", **bare_machine | {"NETLAB_PYTHON": "/bin/false"})
    assert refused.returncode == 1
    assert refused.stdout.endswith(" python3 python3-venv\n")


def test_what_the_tests_need_is_asked_for_only_by_the_tests(bare_machine):
    assert " chromium" in run("scripts/setup", "--test", **bare_machine).stdout
    assert " chromium" not in run("scripts/setup", **bare_machine).stdout


@pytest.mark.skipif(
    not Path(sys.prefix, ".netlab-runtime").exists(), reason="this Python is not one of scripts/setup's"
)
def test_with_nothing_missing_set_up_is_quick_and_silent():
    began = time.monotonic()
    done = run("scripts/setup", "--venv", NETLAB_VENV=sys.prefix)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "http"], "--port is a number, not 'http'"),
        (["--port"], "--port needs a value"),
        (["--lang", "fr"], "--lang is en or ja, not 'fr'"),
        (["--colour"], "unknown option --colour"),
    ],
)
def test_start_explains_a_wrong_option(arguments, complaint):
    refused = run("scripts/start", *arguments)
    assert refused.returncode == 2
    assert complaint in refused.stderr


def test_test_lists_its_stages_and_names_them_for_a_wrong_one():
    listed = run("scripts/test", "--list").stdout.splitlines()
    names = [line.split()[0] for line in listed]
    assert names[:3] == ["lint", "types", "unit"]
    wrong = run("scripts/test", "everything")
    assert wrong.returncode == 2
    assert " ".join(names) in wrong.stderr
