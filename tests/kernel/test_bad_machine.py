"""A machine that lacks something: what is missing is named, with what to do, and nothing is left half made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from netlab import Lab, registry
from netlab.errors import MissingTool, NetlabError, SandboxError

pytestmark = pytest.mark.kernel


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder in front of PATH; what is put there is what the machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    "script",
    [
        "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1",
        "echo 'unshare: write failed /proc/self/uid_map: Operation not permitted' >&2; exit 1",
        "echo 'unshare: unshare failed: No space left on device' >&2; exit 1",
    ],
)
def test_refused_user_namespaces_are_explained(programs, script):
    programs("unshare", script)
    with pytest.raises(SandboxError) as refused:
        Lab()
    assert "does not let netlab make its sandbox" in str(refused.value)
    assert "unshare" in str(refused.value), "it quotes what was said"
    assert len(str(refused.value).splitlines()) > 1, "it says what to do"
    assert registry.names() == [], "the name is free again"


def test_an_unshare_that_dies_without_a_word_is_explained(programs):
    programs("unshare", "exit 1")
    with pytest.raises(SandboxError, match="no reason given"):
        Lab()


def test_a_kernel_whose_limit_of_namespaces_is_zero(monkeypatch):
    """The kernel itself refuses: inside a user namespace whose limit is 0."""
    program = """
from netlab import Lab
from netlab.errors import SandboxError
try:
    Lab()
except SandboxError as error:
    print(error)
"""
    script = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, "-", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "does not let netlab make its sandbox" in done.stdout, done.stderr
    assert "max_user_namespaces" in done.stdout
    assert done.stderr == ""
    monkeypatch.undo()


def test_a_machine_without_unshare(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(MissingTool, match="apt-get install util-linux"):
        Lab()
    assert registry.names() == []


def test_a_machine_without_dot_says_so_and_the_text_is_shown_all_the_same(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    bundle = lab._repr_mimebundle_()
    assert "docker0" in bundle["text/plain"]
    assert "image/svg+xml" not in bundle
    with pytest.raises(MissingTool, match="graphviz"):
        lab.show().svg  # noqa: B018 - drawing is what is tested


def test_a_machine_without_nft_names_it():
    """Program and library are hidden, in a view of the files of its own, from a Python that makes labs."""
    program = """
from netlab import Lab
from netlab.errors import MissingTool
try:
    Lab()
except MissingTool as error:
    print(error)
with Lab(docker=False) as lab:
    print(lab.host.add_bridge("br0").up())
    try:
        lab.host.nft("add table ip lesson")
    except MissingTool as error:
        print(error)
    print(lab.show(), lab.internet.ping("203.0.113.10"), len(lab.history))
"""
    hide = (
        "for file in $(readlink -f $(command -v nft) $(ldconfig -p | sed -n 's/.*nftables.so.1.* => //p')); do "
        'mount --bind /dev/null "$file" || exit 9; done; exec "$@"'
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide, "-", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    assert done.stdout.count("Install it: sudo apt-get install nftables") == 2, (done.stdout, done.stderr)
    assert "<link br0 in host>" in done.stdout
    assert "1 of 1 answered 2" in done.stdout


def test_a_folder_of_somebody_else_for_the_sockets_is_refused(monkeypatch, tmp_path):
    (tmp_path / "netlab").mkdir(mode=0o777)
    (tmp_path / "netlab").chmod(0o777)
    monkeypatch.setenv("NETLAB_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(NetlabError, match="NETLAB_RUNTIME_DIR"):
        Lab()


def test_a_lab_works_in_a_strange_working_directory(tmp_path, monkeypatch):
    strange = tmp_path / "ネット work's"
    strange.mkdir()
    monkeypatch.chdir(strange)
    with Lab() as lab:
        assert lab.host.sh("pwd; touch here").stdout.strip() == str(strange)
        assert (strange / "here").exists()


_FEW_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from netlab import Lab
from netlab.errors import RequestError
with Lab() as lab:
    network = lab.network("many")
    first = lab.run("first", network=network)
    try:
        lab.run_many([f"c{{number}}" for number in range(40)], network=network)
    except RequestError as error:
        print(error)
    assert first.ping("172.18.0.1").ok
    print(sorted(lab.containers) == ["first"], len(lab.containers))
"""


@pytest.mark.parametrize(("hard", "count"), [(200, 1), (4096, 41)])
def test_containers_need_open_files_and_too_many_are_refused(hard, count):
    """The limit that a process is under at first is raised as far as the machine allows; beyond that netlab says no."""
    done = subprocess.run(
        [sys.executable, "-c", _FEW_FILES.format(soft=128, hard=hard)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert ("which is enough for 33" in done.stdout and "limits.conf" in done.stdout) == (count == 1), done.stdout
    assert done.stdout.splitlines()[-1] == f"{count == 1} {count}"
