"""The command `netlab`: seen from outside, as a terminal and the kernel's own tools see it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from outside import wait_until
from terminal import Terminal

from netlab import registry

pytestmark = pytest.mark.kernel

NETLAB = [sys.executable, "-P", "-c", "from netlab.cli import main; main(prog_name='netlab')"]


def netlab(*arguments, **options):
    """Run the command to its end."""
    given = {"capture_output": True, "text": True, "timeout": 60, "check": False, **options}
    return subprocess.run([*NETLAB, *arguments], **given)  # noqa: PLW1510 - it has one


def succeed(*arguments, **options):
    """Run the command, which must succeed, and return its output."""
    done = netlab(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments, status=1, **options):
    """Run the command, which must fail in words and without a traceback, and return these."""
    done = netlab(*arguments, **options)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def family(pid):
    """Hold the process and all that descend from it, so that their end can be seen."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def wait_for_the_end_of(pids, seconds=5.0):
    """Wait until each of the processes has ended."""
    wait_until(lambda: not [pid for pid in pids if is_running(pid)], seconds, f"the end of {pids}")


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.fixture(autouse=True)
def _own_labs(tmp_path_factory, monkeypatch):
    """Give each test a machine on which no other lab runs; afterwards, no process of its labs is left."""
    folder = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("NETLAB_RUNTIME_DIR", str(folder))
    yield
    owners = {one["owner"] for one in json.loads(succeed("ls", "--json"))} - {os.getpid()}
    remains = [pid for owner in owners for pid in family(owner)]
    succeed("down", "--all")
    assert not [pid for pid in remains if is_running(pid)]
    assert not list((folder / "netlab").glob("*.sock"))


@pytest.fixture
def up():
    """A lab of `netlab up` with a web server in it; the pid of its owner."""
    succeed("up")
    succeed("run", "web", "--image", "nginx")
    return registry.owner("lab")


# ── up, down, ls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_up_prints_the_name_and_what_to_do_next():
    done = netlab("up", "lesson")
    assert done.stdout == "lesson\n"
    assert "netlab down lesson" in done.stderr


def test_a_lab_outlives_the_command_in_a_session_without_terminal_or_streams():
    succeed("up")
    owner = registry.owner("lab")
    assert os.getsid(owner) == owner
    assert Path(f"/proc/{owner}/stat").read_text().rpartition(")")[2].split()[4] == "0", "it has a terminal"
    assert {str(Path(f"/proc/{owner}/fd/{number}").readlink()) for number in (0, 1, 2)} == {"/dev/null"}
    assert str(Path(f"/proc/{owner}/cwd").readlink()) == "/"


def test_ls_lists_labs_of_notebooks_too(up, make_lab):
    make_lab("notebook").run("c1")
    assert json.loads(succeed("ls", "--json")) == [
        {"name": "lab", "containers": 1, "owner": up},
        {"name": "notebook", "containers": 1, "owner": os.getpid()},
    ]
    assert [line.split() for line in succeed("ls").splitlines()] == [
        ["NAME", "CONTAINERS", "OWNER"],
        ["lab", "1", str(up)],
        ["notebook", "1", str(os.getpid())],
    ]


def test_ls_shows_a_lab_that_does_not_answer():
    succeed("up")
    owner = registry.owner("lab")
    os.kill(owner, signal.SIGSTOP)
    assert json.loads(succeed("ls", "--json")) == [{"name": "lab", "containers": None, "owner": owner}]
    os.kill(owner, signal.SIGCONT)


@pytest.mark.usefixtures("up")
def test_ls_answers_at_once():
    def seconds():
        began = time.perf_counter()
        succeed("ls")
        return time.perf_counter() - began

    wait_until(lambda: seconds() < 0.15, 20, "beside other tests, it may have to wait for a processor")


def test_down_returns_when_nothing_is_left(up):
    everything = family(up)
    assert len(everything) > 7  # owner, unshare, agent, five places at least
    assert succeed("down") == "lab\n"
    assert not [pid for pid in everything if is_running(pid)]
    assert succeed("ls", "--json") == "[]\n"


def test_down_of_a_notebooks_lab_leaves_the_notebook(make_lab):
    lab = make_lab("notebook")
    succeed("down", "notebook")
    assert lab.closed
    assert registry.names() == []


def test_down_ends_a_lab_that_does_not_answer(up):
    everything = family(up)
    os.kill(up, signal.SIGSTOP)
    program = "import netlab.ending as e; e._ANSWER_SECONDS = 0.2; e.end('lab')"
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=30)
    wait_for_the_end_of(everything)


def test_a_lab_ends_on_sigterm(up):
    everything = family(up)
    os.kill(up, signal.SIGTERM)
    wait_for_the_end_of(everything)
    assert registry.names() == []


def test_a_killed_owner_takes_everything_along_within_a_second(up):
    everything = family(up)
    os.kill(up, signal.SIGKILL)
    wait_for_the_end_of(everything, 1.0)
    assert "No lab is running" in refused("exec", "web", "true")
    assert succeed("ls", "--json") == "[]\n", "the socket that is left over is cleared away"


def test_a_lab_whose_sandbox_is_killed_ends(up):
    agent = next(pid for pid in family(up) if b"netlab: agent" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(agent, signal.SIGKILL)
    wait_for_the_end_of([up])
    assert registry.names() == []


def test_up_tells_the_real_reason_of_a_failure():
    limited = ["unshare", "-Ur", "sh", "-c", 'echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"', "-"]
    done = subprocess.run([*limited, *NETLAB, "up"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "user.max_net_namespaces=15000" in done.stderr


@pytest.mark.parametrize("name", ["my lab", "a/b", "", "-", "ラボ", "x" * 200])
def test_up_refuses_a_name_that_cannot_be(name):
    assert "Invalid" in refused("up", "--", name)


def test_of_two_at_the_same_time_one_gets_the_name():
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: netlab("up", "lesson"), range(4)))
    assert sorted(one.returncode for one in done) == [0, 1, 1, 1]
    assert all("is running already" in one.stderr for one in done if one.returncode)


def test_labs_without_a_name_get_different_ones_at_the_same_time():
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: succeed("up"), range(3)))
    assert sorted(done) == ["lab\n", "lab-2\n", "lab-3\n"]


def test_a_lab_survives_the_folder_that_it_was_started_in(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    succeed("up", cwd=folder)
    folder.rmdir()
    succeed("run", "web")
    assert "172.17.0.2" in succeed("exec", "web", "cat", "/etc/hosts")


def test_a_lab_starts_in_a_folder_that_is_gone(tmp_path):
    program = f'cd {tmp_path}; mkdir x; cd x; rmdir ../x; exec "$@"'
    subprocess.run(["sh", "-c", program, "-", *NETLAB, "up"], check=True, timeout=60)


def test_a_stale_socket_is_no_lab():
    path = registry.folder() / "old.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    assert "No lab" in refused("show", "--lab", "old")
    assert not path.exists()


def test_options_of_up_reach_the_lab():
    succeed("up", "--no-docker", "--hosts", "2")
    links = [link["ifname"] for link in json.loads(succeed("exec", "host2", "--", "ip", "-j", "link"))]
    assert links == ["lo", "eth0"]


def test_the_runtime_folder_may_be_missing_from_the_environment(monkeypatch):
    monkeypatch.delenv("NETLAB_RUNTIME_DIR")
    for value in (None, "/nonexistent"):
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        if value:
            monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        assert succeed("ls").startswith("NAME")
        assert str(registry.folder()) == f"/tmp/netlab-{os.getuid()}"  # noqa: S108 - as documented
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("folder", "reason"), [("/nonexistent", "cannot be made"), ("long", "bytes and 107 are allowed")]
)
def test_a_runtime_folder_that_cannot_be_is_told(folder, reason, tmp_path):
    if folder == "long":
        (tmp_path / ("x" * 90)).mkdir()
        folder = str(tmp_path / ("x" * 90))
    said = refused("up", env={**os.environ, "NETLAB_RUNTIME_DIR": folder})
    assert reason in said
    assert "NETLAB_RUNTIME_DIR" in said


# ── which lab ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_lab_the_error_says_how_to_start_one():
    assert "netlab up" in refused("exec", "host", "true")


def test_with_several_labs_the_error_says_which_there_are():
    succeed("up", "a1")
    succeed("up", "b2")
    assert "a1, b2. Say which one is meant: --lab a1" in refused("exec", "host", "true")
    assert "netlab down a1" in refused("down")
    assert succeed("exec", "--lab", "b2", "host", "hostname") == "host\n"
    assert "a1, b2" in refused("exec", "--lab", "my lab", "host", "true")


# ── run, rm, show ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_prints_the_address_and_rm_takes_the_container_away():
    succeed("up")
    assert succeed("run", "web", "--image", "nginx") == "172.17.0.2\n"
    assert "Welcome to nginx" in succeed("exec", "host", "--", "curl", "-s", "http://172.17.0.2")
    assert succeed("rm", "web") == "web\n"
    assert [link["ifname"] for link in json.loads(succeed("exec", "host", "ip", "-j", "link"))] == [
        "lo",
        "eth0",
        "docker0",
    ]


@pytest.mark.usefixtures("up")
def test_run_refuses_in_the_labs_own_words():
    assert "already in use" in refused("run", "web")
    assert "busybox" in refused("run", "db", "--image", "postgres")
    assert "Invalid container name" in refused("run", "my web")
    assert "nowhere" in refused("rm", "nowhere")


@pytest.mark.usefixtures("up")
def test_show_draws_in_each_format(tmp_path):
    assert "172.17.0.2" in succeed("show")
    assert succeed("show", "--format", "svg").startswith("<svg")
    assert "digraph" in succeed("show", "--format", "dot") or "graph" in succeed("show", "--format", "dot")
    assert {"host", "web"} <= {place["name"] for place in json.loads(succeed("show", "-f", "json"))["places"]}
    assert netlab("show", "--format", "png", text=False).stdout.startswith(b"\x89PNG")
    succeed("show", "--format", "png", "--output", str(tmp_path / "lab.png"))
    assert (tmp_path / "lab.png").read_bytes().startswith(b"\x89PNG")
    assert "nonexistent" in refused("show", "--output", "/nonexistent/lab.txt")


# ── exec ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("up")
def test_exec_runs_in_the_places_namespaces():
    (eth0,) = [link for link in json.loads(succeed("exec", "web", "--", "ip", "-j", "addr")) if link["ifname"] != "lo"]
    assert eth0["addr_info"][0]["local"] == "172.17.0.2"
    assert re.fullmatch(r"[0-9a-f]{12}\n", succeed("exec", "web", "hostname"))
    assert "172.17.0.2" in succeed("exec", "web", "cat", "/etc/hosts")
    (address,) = json.loads(succeed("exec", "internet", "--", "ip", "-j", "-4", "addr", "show", "eth0"))[0]["addr_info"]
    assert address["local"] == "203.0.113.50"
    assert succeed("exec", "web", "cat", "/proc/1/comm") == "netlab\n", "/proc shows the lab"
    assert "masquerade" in json.dumps(json.loads(succeed("exec", "host", "nft", "-j", "list", "ruleset")))


@pytest.mark.usefixtures("up")
def test_exec_reaches_a_namespace_made_by_hand_with_a_sys_of_its_own():
    succeed("exec", "host", "ip", "netns", "add", "red")
    assert [link["ifname"] for link in json.loads(succeed("exec", "red", "ip", "-j", "link"))] == ["lo"]
    assert succeed("exec", "red", "ls", "/sys/class/net") == "lo\n"
    succeed("exec", "host", "ip", "netns", "delete", "red")
    assert "There is no place 'red'" in refused("exec", "red", "true")


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
@pytest.mark.usefixtures("up")
def test_exec_ends_with_the_commands_status(script, status):
    assert netlab("exec", "web", "--", "sh", "-c", script).returncode == status


@pytest.mark.usefixtures("up")
def test_exec_tells_a_command_that_is_not_there():
    assert "nosuch" in refused("exec", "web", "nosuch", status=127)
    assert "Permission denied" in refused("exec", "web", "/etc/hostname", status=126)


@pytest.mark.usefixtures("up")
def test_exec_passes_input_output_and_arguments_through_untouched():
    data = bytes(range(256)) * 1000
    assert netlab("exec", "web", "cat", input=data, text=False).stdout == data
    done = netlab("exec", "web", "sh", "-c", 'echo "$1"; echo "$2" >&2', "-", "a  b", "--help")
    assert (done.stdout, done.stderr) == ("a  b\n", "--help\n")


@pytest.mark.usefixtures("up")
def test_exec_keeps_the_folder_and_the_terminals_name_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "netlab-test")
    monkeypatch.setenv("SECRET", "1")
    said = succeed("exec", "web", "sh", "-c", "pwd; echo $TERM $SECRET; id -u", cwd=tmp_path)
    assert said == f"{tmp_path}\nnetlab-test\n0\n"


@pytest.mark.usefixtures("up")
def test_a_pipe_that_is_closed_ends_the_command_as_in_any_shell():
    assert netlab("exec", "web", "sh", "-c", "yes | head -n 1").stderr == ""
    with subprocess.Popen([*NETLAB, "exec", "web", "yes"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 128 + signal.SIGPIPE


@pytest.mark.usefixtures("up")
def test_tcpdump_works():
    script = "ping -q -i 0.05 -w 5 127.0.0.1 >/dev/null & timeout 5 tcpdump -n -c 1 -i lo icmp; kill $!"
    assert "ICMP echo request" in succeed("exec", "web", "sh", "-c", script)


def started(*arguments):
    """Start a command that says when it is there, and wait for that."""
    process = subprocess.Popen([*NETLAB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.usefixtures("up")
def test_a_signal_to_exec_reaches_the_command():
    with started(
        "exec", "web", "sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    ) as one:
        one.terminate()
        assert one.communicate(timeout=10)[0] == "caught\n"
        assert one.returncode == 3


@pytest.mark.usefixtures("up")
def test_a_killed_exec_takes_the_command_along():
    with started("exec", "web", "sh", "-c", "echo ready; exec sleep 1000") as one:
        command = family(one.pid)
        one.kill()
        wait_for_the_end_of(command)


def test_a_lab_that_dies_ends_the_command_and_says_so(up):
    with started("exec", "web", "sh", "-c", "echo ready; exec sleep 1000") as one:
        os.kill(up, signal.SIGKILL)
        assert "the place has gone" in one.communicate(timeout=10)[1]
        assert one.returncode == 137


@pytest.mark.usefixtures("up")
def test_down_waits_for_commands_too():
    with started("exec", "web", "sh", "-c", "echo ready; exec sleep 1000") as one:
        succeed("down")
        assert one.wait(5) == 137


@pytest.mark.usefixtures("up")
def test_a_place_that_has_gone_is_told():
    succeed("rm", "web")
    said = refused("exec", "web", "true")
    assert "There is no place 'web'" in said
    assert "host" in said


def test_a_stopped_container_is_told(make_lab):
    lab = make_lab("notebook")
    lab.run("web")
    succeed("exec", "web", "true")
    lab.stop("web")
    assert "'web' is stopped" in refused("exec", "web", "true")


# ── terminals ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("up")
def test_ctrl_c_reaches_the_command():
    with Terminal([*NETLAB, "exec", "web", "--", "sh", "-c", "echo there; exec sleep 1000"]) as terminal:
        terminal.read_until("there")
        terminal.type("\x03")
        assert terminal.wait() == 130


@pytest.mark.usefixtures("up")
def test_ping_sums_up_after_ctrl_c():
    with Terminal([*NETLAB, "exec", "host", "ping", "172.17.0.2"]) as terminal:
        terminal.read_until("bytes from 172.17.0.2")
        terminal.type("\x03")
        terminal.read_until("0% packet loss")
        assert terminal.wait() == 0


@pytest.mark.usefixtures("up")
def test_a_shell_names_the_place_and_exit_ends_it():
    with Terminal([*NETLAB, "shell", "web"]) as terminal:
        terminal.read_until("web# ")
        terminal.type("cat /etc/hosts; exit 5\r")
        terminal.read_until("172.17.0.2")
        assert terminal.wait() == 5


@pytest.mark.usefixtures("up")
def test_a_shell_has_job_control():
    with Terminal([*NETLAB, "shell", "web"]) as terminal:
        terminal.read_until("web# ")
        terminal.type("sleep 1000\r")
        wait_until(lambda: b"sleep" in Path(f"/proc/{terminal.foreground()}/cmdline").read_bytes())
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        terminal.read_until("web# ")
        terminal.type("fg\r")
        terminal.read_until("sleep 1000")
        wait_until(lambda: b"sleep" in Path(f"/proc/{terminal.foreground()}/cmdline").read_bytes())
        terminal.type("\x03")
        terminal.read_until("web# ")
        terminal.type("exit 0\r")
        assert terminal.wait() == 0


@pytest.mark.usefixtures("up")
def test_the_shell_that_one_came_from_gets_its_terminal_back():
    with Terminal(
        ["sh", "-c", '"$@"; echo back; read line; echo "got $line"', "-", *NETLAB, "shell", "web"]
    ) as terminal:
        terminal.read_until("web# ")
        terminal.type("exit\r")
        terminal.read_until("back")
        terminal.type("hello\r")
        terminal.read_until("got hello")
        assert terminal.wait() == 0


@pytest.mark.usefixtures("up")
def test_ctrl_z_stops_exec_and_fg_goes_on():
    with Terminal(["bash", "--norc", "--noprofile", "-i"], PS1="outer# ") as terminal:
        terminal.read_until("outer# ")
        terminal.type(" ".join(f"'{word}'" if "'" not in word else f'"{word}"' for word in NETLAB))
        terminal.type(" exec web -- sh -c 'echo the''re; sleep 0.2; exec cat'\r")
        terminal.read_until("there")
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        terminal.read_until("outer# ")
        terminal.type("fg\r")
        terminal.read_until("exec cat'\r\n")
        terminal.type("typed\r")
        terminal.read_until("typed\r\ntyped")
        terminal.type("\x03")
        terminal.read_until("outer# ")
        terminal.type("exit 0\r")
        assert terminal.wait() == 0


@pytest.mark.usefixtures("up")
def test_a_shell_reads_commands_from_a_pipe():
    assert "172.17.0.2" in succeed("shell", "web", input="cat /etc/hosts\nexit 0\n")


# ── help and mistakes ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_command_has_a_short_help_with_an_example():
    listed = succeed("--help")
    for command in ("up", "down", "ls", "run", "rm", "exec", "shell", "show", "doctor", "notebook"):
        assert command in listed
        said = succeed(command, "--help")
        assert f"For example:  netlab {command}" in said
        assert len(said.splitlines()) < 25


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["exec", "web"],
        ["exec", "web", "--"],
        ["up", "--hosts", "0"],
        ["show", "-f", "gif"],
        ["down", "x", "--all"],
    ],
)
def test_wrong_usage_ends_with_status_two(arguments):
    refused(*arguments, status=2)


def test_version():
    assert succeed("--version").startswith("netlab 0.")
