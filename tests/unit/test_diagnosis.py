"""What stands in the way of a sandbox is named, with the line to run."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from netlab.doctor.tools import TOOLS
from netlab.language import set_language
from netlab.sandbox import diagnosis

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language(None)


@pytest.fixture
def machine(monkeypatch):
    """Return a way to make this machine look like another."""

    def look_like(files=(), release="6.1.0-21-amd64", system="Linux", user=1000):
        known = dict(files)
        monkeypatch.setattr(diagnosis, "_read", lambda path: known.get(path, ""))
        monkeypatch.setattr(diagnosis, "_in_chroot", lambda: False)
        monkeypatch.setattr(platform, "release", lambda: release)
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(os, "geteuid", lambda: user)

    return look_like


APPARMOR = {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ({"files": APPARMOR}, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
        ({"files": {"/proc/sys/kernel/unprivileged_userns_clone": "0"}}, "kernel.unprivileged_userns_clone=1"),
        ({"files": {"/proc/sys/user/max_user_namespaces": "0"}}, "user.max_user_namespaces=15000"),
        ({"files": {"/proc/self/status": "Name:\tsh\nSeccomp:\t2\n"}}, "--security-opt seccomp=unconfined"),
        ({"release": "4.4.0-19041-Microsoft"}, "wsl --set-version DISTRIBUTION 2"),
        ({"release": "5.4.0-150-generic"}, "too old"),
        ({"system": "Darwin", "release": "23.1.0"}, "Vagrant"),
    ],
)
def test_what_stands_in_the_way_is_named(machine, looks, told):
    machine(**looks)
    assert told in diagnosis.remedy()
    assert told in diagnosis.explain("unshare: Operation not permitted")


def test_ubuntus_restriction_does_not_concern_root(machine):
    machine(APPARMOR, user=0)
    assert diagnosis.remedy() is None


def test_wsl2_is_a_linux_like_others(machine):
    machine(release="5.15.90.1-microsoft-standard-WSL2")
    assert diagnosis.remedy() is None


def test_without_a_known_reason_the_doctor_is_named(machine):
    machine()
    assert "netlab doctor" in diagnosis.explain("")


def test_the_reason_comes_in_japanese_too(machine):
    machine(APPARMOR)
    set_language("ja")
    assert "Ubuntu の AppArmor" in diagnosis.remedy()


def test_the_packages_that_the_doctor_names_are_those_that_set_up_installs():
    listed = (ROOT / "packaging/dependencies.txt").read_text().split()
    assert {tool.package for tool in TOOLS} <= set(listed)
