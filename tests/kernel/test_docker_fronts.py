"""The docker command where it is typed: in a cell, and in a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from netlab import magics

NETLAB = str(Path(sys.executable).with_name("netlab"))


@pytest.fixture
def cell(lab, capsys):
    """Run magics as a notebook does that has the lab in a variable; returns what was printed."""
    shell = InteractiveShell.instance()
    magics.register(shell)
    shell.user_ns["lab"] = lab

    def run(line, body=None):
        if body is None:
            shell.run_line_magic("docker", line)
        else:
            shell.run_cell_magic("docker", line, body)
        return capsys.readouterr()

    yield run
    shell.user_ns.pop("lab")
    InteractiveShell.clear_instance()


def test_one_line(cell, lab):
    assert len(cell("run -d --name web -p 8080:80 nginx").out) == 65
    assert "Welcome to nginx!" in lab.internet.sh("curl -s http://host.example.net:8080").stdout
    assert "ip netns add web" in str(lab.commands())


def test_braces_are_left_alone(cell):
    assert cell("network inspect bridge -f '{{json .IPAM.Config}}'").out.startswith('[{"Subnet":"172.17.0.0/16"')


def test_a_refusal_is_shown_as_docker_shows_it_and_is_no_traceback(cell):
    shown = cell("rm nosuch")
    assert shown.err == "Error response from daemon: No such container: nosuch\n"
    assert shown.out == "[status 1]\n"


def test_several_lines_with_comments(cell, lab):
    shown = cell("", "# two\ndocker network create n1\nrun -d --name app \\\n  --network n1 myapp  # idle\n\nps -q\n")
    assert shown.out.splitlines()[0] == "$ docker network create n1"
    assert lab["app"].address == "172.18.0.2"


def test_without_a_lab_it_says_what_to_do(cell, lab):
    assert "There is no lab 'other'" in cell("--lab other ps").err
    lab.close()


@pytest.fixture
def terminal(lab):
    def run(*argv, text=None):
        return subprocess.run(
            [NETLAB, "docker", "--lab", lab.name, *argv],
            check=False,
            capture_output=True,
            text=True,
            input=text,
            timeout=60,
        )

    return run


def test_netlab_docker(terminal):
    assert terminal("run", "-d", "--name", "web", "nginx").returncode == 0
    assert "nginx" in terminal("ps").stdout
    refused = terminal("rm", "nosuch")
    assert (refused.returncode, refused.stderr) == (1, "Error response from daemon: No such container: nosuch\n")


def test_netlab_docker_passes_input_output_and_status_through(terminal):
    terminal("run", "-d", "--name", "web", "nginx")
    assert terminal("exec", "-i", "web", "cat", text="hello").stdout == "hello"
    assert terminal("exec", "web", "cat", text="hello").stdout == ""  # without -i nothing is read
    assert terminal("exec", "-e", "A=1", "web", "sh", "-c", "echo $A >&2; exit 3").stderr == "1\n"
    assert terminal("exec", "web", "sh", "-c", "exit 3").returncode == 3


def test_netlab_docker_run_in_the_foreground(terminal, lab):
    ended = terminal("run", "--rm", "alpine", "sh", "-c", "hostname; exit 4")
    assert (len(ended.stdout), ended.returncode) == (13, 4)
    assert not lab.containers
    assert terminal("run", "--name", "kept", "alpine", "false").returncode == 1
    assert (lab["kept"].status, lab["kept"].exit_code) == ("exited", 1)
