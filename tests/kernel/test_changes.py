"""What changed since the last look: asked in Python, in a terminal and after each cell, against the kernel's own tools."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from outside import ip

from netlab.errors import RequestError

pytestmark = pytest.mark.kernel

NETLAB = [sys.executable, "-P", "-c", "from netlab.cli import main; main(prog_name='netlab')"]


def netlab(*arguments):
    return subprocess.run([*NETLAB, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_a_new_lab_has_not_changed(lab):
    assert len(lab.changes()) == 0
    assert repr(lab.changes()) == "The kernel is as it was."


def test_what_was_typed_by_hand_is_told_with_commands_that_make_it_again(bare):
    """The commands that are told, typed in another lab, make the same links, addresses and routes."""
    bare.host.sh(
        "ip netns add red; ip link add left type veth peer name right netns red; ip link add br0 type bridge;"
        "ip link set left master br0 up; ip link set br0 up; ip address add 10.0.0.1/24 broadcast + dev br0;"
        "ip -n red address add 10.0.0.2/24 broadcast + dev right; ip -n red link set right up;"
        "ip -n red route add default via 10.0.0.1; nft add table ip t; nft add chain ip t c; nft add rule ip t c accept",
        check=True,
    )
    told = bare.changes()
    bare.reset()
    bare.host.sh("\n".join(told.commands), check=True)
    assert {link["ifname"] for link in ip(bare.host, "link")} >= {"left", "br0"}
    (port,) = ip(bare.host, "link show left")
    assert port["master"] == "br0"
    assert "UP" in port["flags"]
    assert ip(bare["red"], "route")[0]["gateway"] == "10.0.0.1"
    assert "accept" in bare.host.sh("nft list chain ip t c").stdout
    assert repr(bare.changes()).count("\n") >= 5, "a look after the reset tells of it again"
    assert len(bare.changes()) == 0


def test_a_notebook_shows_what_became_different_in_the_picture(lab):
    web = lab.run("web", image="nginx")
    lab.changes()
    lab.run("app")
    web.sh("ip address add 10.1.1.1/24 dev eth0", check=True)
    lab.host.sh("ip address add 10.2.2.1/24 dev docker0", check=True)
    page = lab.changes()._repr_html_()
    classes = dict(re.findall(r'<g id="([^"]+)" class="[^"]*?(\w+)">', page))
    assert classes["place/app"] == classes["interface/app/eth0"] == "appeared"
    assert [kind for name, kind in classes.items() if name.startswith("link/") and "app" in name] == ["appeared"]
    assert classes["interface/web/eth0"] == classes["interface/host/docker0"] == "changed"
    assert (classes["place/web"], classes["place/host"]) == ("container", "host")
    lab.rm("app")
    page = lab.changes()._repr_html_()
    assert "The container app " in page
    assert 'id="place/app"' not in page


def test_what_is_not_drawn_is_told_without_a_picture(lab):
    red = lab.namespace("red")
    lab.changes()
    red.sh("ip link set lo up; ip route add blackhole 10.0.0.0/8", check=True)
    lab.changes()
    lab.host.sh("ip netns delete red", check=True)
    page = lab.changes()._repr_html_()
    assert "red" in page
    assert "<svg" not in page


def test_what_docker_makes_and_takes_away_is_told(lab):
    lab.run("web", image="nginx", publish="8080:80")
    sentences = [one.sentence for one in lab.changes()]
    assert sentences[0] == "A container web appeared."
    assert "web: eth0 has the address 172.17.0.2/16 now." in sentences
    assert "host: docker-proxy listens on tcp 0.0.0.0:8080." in sentences
    lab.host.ping("172.17.0.2")
    assert len(lab.changes()) == 0, "traffic leaves traces that are no changes"
    lab.rm("web")
    gone = lab.changes()
    assert {one.kind for one in gone} == {"went"}
    assert "place/web" in gone.elements("went")


def test_the_terminal_has_looks_of_its_own(lab):
    lab.namespace("red")
    assert len(lab.changes()) == 1
    assert netlab("changes", "--lab", lab.name).stdout == "+ A network namespace red appeared.\n    ip netns add red\n"
    lab.remove_namespace("red")
    done = netlab("changes", "--lab", lab.name, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["kind"] == "went"
    done = netlab("changes", "--lab", lab.name)
    assert (done.returncode, done.stdout) == (0, "The kernel is as it was.\n")
    done = netlab("changes", "--lab", "nobody")
    assert done.returncode == 1
    assert "No lab 'nobody' is running" in done.stderr


@pytest.fixture
def notebook():
    """A shell as a notebook's cells have it."""
    shell = InteractiveShell.instance()
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()


def test_after_each_cell_only_what_changed_is_shown(lab, notebook, capsys):
    notebook.user_ns["lab"] = lab
    notebook.run_cell("said = lab.changes(after_each_cell=True)")
    notebook.run_cell("said = lab.host.ping('127.0.0.1')")
    assert capsys.readouterr().out == ""
    notebook.run_cell("said = lab.host.sh('ip netns add red')")
    assert "A network namespace red appeared." in capsys.readouterr().out
    notebook.run_cell("said = lab.changes(after_each_cell=False)")
    notebook.run_cell("said = lab.host.sh('ip netns delete red')")
    assert "red" not in capsys.readouterr().out
    notebook.run_cell("said = lab.changes(after_each_cell=True)")
    lab.close()
    notebook.run_cell("said = 1")
    notebook.run_cell("said = 1")
    printed = capsys.readouterr()
    assert "Error" not in printed.out + printed.err


def test_without_cells_nothing_can_be_shown_after_them(lab):
    with pytest.raises(RequestError, match="no cells here"):
        lab.changes(after_each_cell=True)
