"""The docker command on a real lab. The rows named are those of the catalogue of observed behaviours (LC, PM, UD, DR)."""

from __future__ import annotations

import io
import json
import re
import shlex
import threading
import time

import pytest
from outside import ip, wait_until

from netlab.docker.command import execute
from netlab.errors import NameTaken, NotFound

HELP = "\n\nRun 'docker run --help' for more information\n"


class Docker:
    """Runs command lines; the last one's status, output and complaints stay."""

    def __init__(self, lab):
        self.lab = lab

    def __call__(self, line):
        out, err = io.StringIO(), io.StringIO()
        self.status = execute(self.lab, shlex.split(line), out, err)
        self.said, self.complaint = out.getvalue(), err.getvalue()
        return self.said

    def refused(self, line):
        """Run a line that is refused, and return what was complained of."""
        self(line)
        assert self.status != 0
        return self.complaint


@pytest.fixture
def docker(lab):
    return Docker(lab)


# ── the transcripts of the course ──────────────────────────────────────────────────────────────────────────────────


def test_containers_of_a_network_find_each_other_by_name(docker):
    identifier = docker("network create my-network")
    assert re.fullmatch(r"[0-9a-f]{64}\n", identifier)
    docker("run -d --name web --network my-network nginx")
    docker("run -d --name app --network my-network myapp")
    assert "Welcome to nginx!" in docker("exec app curl -s http://web:80")
    assert docker("inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web") == "172.18.0.2\n"


def test_the_default_network_shows_its_subnet(docker):
    text = docker("network inspect bridge -f '{{json .IPAM.Config}}'")
    assert json.loads(text) == [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]


def test_a_foreground_run_shows_the_output_and_is_gone_with_rm(docker):
    assert "inet 172.17.0.2/16" in docker("run --rm alpine ip addr")
    assert docker("ps -aq") == ""


def test_a_foreground_run_ends_with_the_commands_status_and_leaves_an_exited_container(docker):
    docker("run --name once alpine sh -c 'exit 4'")
    assert docker.status == 4
    assert docker("inspect -f '{{.State.Status}} {{.State.ExitCode}}' once") == "exited 4\n"
    assert "Exited (4) " in docker("ps -a")


def test_a_shell_that_nobody_can_type_into_says_so(docker):
    docker("run -d --name web nginx")
    for line in ("exec -it web sh", "run -it --rm alpine sh"):
        assert docker(line) == ""
        assert docker.status == 0
        assert "in a terminal: netlab docker" in docker.complaint
    docker("exec -it web echo here")
    assert (docker.said, docker.complaint) == ("here\n", "")


def test_what_a_command_did_to_the_kernel_can_be_asked_afterwards(docker, lab):
    docker("run -d --name web nginx")
    docker("ps")
    assert "ip netns add web" in str(lab.commands())


def test_flags_and_values_in_the_spellings_of_docker(docker):
    docker("run -d=true --rm=false --name web -p=8080:80 -p8081:81 -eA=1 --label=k=v nginx sh -c 'exec sleep 100' -x=1")
    assert (
        docker("port web")
        == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n81/tcp -> 0.0.0.0:8081\n81/tcp -> [::]:8081\n"
    )
    assert docker("inspect -f '{{.HostConfig.AutoRemove}} {{.Config.Env}} {{.Args}}' web") == (
        "false [A=1] [-c exec sleep 100 -x=1]\n"
    )
    assert docker("network create --internal=true inner")
    assert docker("network inspect -f '{{.Internal}}' inner") == "true\n"
    docker("rm -fv web")
    assert docker("container list -aq") == ""
    assert docker("network remove inner") == "inner\n"


def test_several_flags_in_one_word_and_options_after_the_image(docker):
    docker("run -dit --name box --publish=8081:80 nginx")
    assert docker.status == 0
    assert docker("inspect -f '{{.Config.OpenStdin}} {{.Config.Tty}}' box") == "true true\n"
    assert docker("run --rm alpine echo -n --name x") == "--name x"


def test_a_container_is_named_by_the_beginning_of_its_id(docker):
    identifier = docker("run -d --name web nginx").strip()
    assert docker(f"exec {identifier[:6]} hostname") == identifier[:12] + "\n"


# ── ports (PM) ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pm_01_a_published_port_is_shown_for_both_families(docker):
    docker("run -d --name web -p 8080:80 nginx")
    assert docker("port web") == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n"
    assert docker("port web 80") == "0.0.0.0:8080\n[::]:8080\n"
    assert "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   web\n" in docker("ps")
    assert docker.refused("port web 81") == "Error: No public port '81' published for web\n"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("70000:80", "invalid hostPort: 70000"),
        ("abc:80", "invalid hostPort: abc"),
        ("8080:abc", "invalid containerPort: abc"),
        ("8080:80/icmp", "invalid proto: icmp"),
        ("1.2.3:8080:80", "invalid IP address: 1.2.3"),
        ("8080:", "no port specified: 8080:<empty>"),
    ],
)
def test_pm_19_a_bad_port_is_refused_by_the_command_line(docker, wanted, words):
    assert docker.refused(f"run -d -p {wanted} nginx") == f"docker: {words}{HELP}"
    assert docker.status == 125


def test_pm_21_a_port_in_use_is_refused_and_pm_22_the_container_stays_created(docker):
    docker("run -d --name web -p 8080:80 nginx")
    words = docker.refused("run -d --name web2 -p 8080:80 nginx")
    assert words.startswith("docker: Error response from daemon: failed to set up container networking: driver failed")
    assert words.endswith(f"Bind for 0.0.0.0:8080 failed: port is already allocated{HELP}")
    assert docker.status == 125
    why = words.removesuffix(HELP).partition("daemon: ")[2]
    assert docker("inspect -f '{{.State.Status}} {{.State.Error}}' web2") == f"created {why}\n"
    docker("rm -f web")
    docker("start web2")
    assert docker("inspect -f '{{.State.Status}} {{.State.Error}}' web2") == "running \n"


def test_pm_44_an_exposed_port_is_listed_and_not_published(docker):
    docker("run -d --name web --expose 90 nginx")
    assert "   80/tcp, 90/tcp   web\n" in docker("ps")
    assert docker("port web") == ""


def test_pm_45_all_exposed_ports_are_published(docker):
    docker("run -d --name web -P --expose 90 nginx")
    assert len(docker("port web").splitlines()) == 4


def test_pm_48_host_mode_discards_published_ports_with_a_warning(docker):
    docker("run -d --name web --network host -p 8080:80 alpine")
    assert docker.complaint == "WARNING: Published ports are discarded when using host network mode\n"
    assert docker("port web") == ""


# ── drivers (DR) ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_dr_01_none_has_the_loopback_only(docker):
    out = docker("run --rm --network none alpine ip -o link")
    assert len(out.splitlines()) == 1
    assert ": lo:" in out


def test_dr_10_there_is_one_host_network_only(docker):
    words = docker.refused("network create -d host x")
    assert words == 'Error response from daemon: only one instance of "host" network is allowed\n'


def test_dr_11_a_container_shares_the_namespace_of_another(docker):
    docker("run -d --name web nginx")
    assert "172.17.0.2/16" in docker("run --rm --network container:web alpine ip addr")


def test_dr_12_and_pm_49_what_a_shared_namespace_excludes(docker):
    docker("run -d --name web nginx")
    start = "docker: Error response from daemon: conflicting options: "
    assert docker.refused("run --network container:web -h x1 alpine") == f"{start}hostname and the network mode{HELP}"
    assert docker.refused("run --network container:web -p 80 alpine") == (
        f"{start}port publishing and the container type network mode{HELP}"
    )


# ── lifecycle, names and errors (LC, UD) ───────────────────────────────────────────────────────────────────────────


def test_lc_05_a_network_in_use_is_not_removed(docker):
    docker("network create my-network")
    docker("run -d --name web --network my-network nginx")
    words = docker.refused("network rm my-network")
    assert words.startswith("Error response from daemon: error while removing network: network my-network has active")
    docker("rm -f web")
    assert docker("network rm my-network") == "my-network\n"
    assert docker.status == 0


def test_lc_06_force_only_silences_what_is_not_there(docker):
    docker("network rm -f nosuch")
    assert (docker.status, docker.complaint) == (0, "")


def test_lc_09_what_can_be_removed_is_removed(docker):
    docker("create --name aa alpine")
    assert docker.refused("rm aa nosuch") == "Error response from daemon: No such container: nosuch\n"
    assert docker.said == "aa\n"


def test_lc_10_prune_removes_unused_networks_only(docker):
    docker("network create n1")
    docker("network create n2")
    docker("run -d --name web --network n1 nginx")
    assert docker("network prune -f") == "Deleted Networks:\nn2\n\n"
    assert docker("network ls --format '{{.Name}}'") == "bridge\nhost\nn1\nnone\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("network create bridge", "operation is not permitted on predefined bridge network"),  # LC-13
        ("network rm bridge", "bridge is a pre-defined network and cannot be removed"),  # LC-14
        ("network rm nosuch", "network nosuch not found"),  # LC-15
        ("network inspect nosuch", "network nosuch not found"),
        ("network create -d bogus nb", 'plugin "bogus" not found'),  # LC-24
        ("network connect bridge nosuch", "No such container: nosuch"),  # UD-40
        ("exec nosuch ls", "No such container: nosuch"),
        ("stop nosuch", "No such container: nosuch"),
        ("logs nosuch", "No such container: nosuch"),
        ("create --network container:nosuch alpine", "No such container: nosuch"),
        ("ps --filter foo=bar", "invalid filter 'foo'"),
    ],
)
def test_the_engines_refusals(docker, line, words):
    assert docker.refused(line).splitlines()[0] == f"Error response from daemon: {words}"
    assert docker.status == 1


def test_lc_11_a_networks_name_is_taken_once(docker):
    docker("network create x1")
    assert docker.refused("network create x1") == "Error response from daemon: network with name x1 already exists\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            "--subnet 10.0.0.0/8 --gateway 10.93.0.1 --subnet 10.9.0.0/16",
            "multiple overlapping subnet configuration is not",
        ),
        ("--subnet 10.94.0.0/24 --gateway 10.93.0.1", "no matching subnet for gateway 10.93.0.1"),  # LC-18
        ("--gateway 10.93.0.1", "every ip-range or gateway must have a corresponding subnet"),  # LC-19
    ],
)
def test_lc_18_19_23_the_command_line_refuses_addresses(docker, options, words):
    assert docker.refused(f"network create {options} n1").startswith(words)
    assert docker.status == 1


def test_lc_16_a_container_waits_for_a_network_that_is_not_there(docker):
    """It is made all the same; with the network it can be started, unless that is another one than it was on."""
    words = "failed to set up container networking: network later not found"
    assert docker.refused("run -d --name web --network later --ip 10.7.0.9 nginx") == (
        f"docker: Error response from daemon: {words}{HELP}"
    )
    assert docker.status == 125
    assert docker("ps -a --format '{{.Names}} {{.Status}} {{.Networks}}'") == "web Created later\n"
    assert docker.refused("start web").startswith(f"Error response from daemon: {words}\n")
    docker("network create --subnet 10.7.0.0/24 later")
    assert docker("start web") == "web\n"
    assert docker("inspect -f '{{.NetworkSettings.Networks.later.IPAddress}}' web") == "10.7.0.9\n"
    taken = docker.refused("run -d --name other --network later --ip 10.7.0.9 nginx")
    assert "failed to set up container networking: Address already in use" in taken
    docker("stop -t 0 web")
    docker("network rm later")
    docker("network create --subnet 10.7.0.0/24 later")
    assert re.search(r"networking: network [0-9a-f]{64} not found", docker.refused("start web"))


def test_lc_26_27_names_of_containers(docker):
    assert docker.refused("run -d --name x nginx") == (
        "docker: Error response from daemon: Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        + HELP
    )
    identifier = docker("run -d --name web nginx").strip()
    assert docker.refused("run -d --name web nginx") == (
        'docker: Error response from daemon: Conflict. The container name "/web" is already in use by container '
        f'"{identifier}". You have to remove (or rename) that container to be able to reuse that name.{HELP}'
    )
    assert docker.status == 125


def test_lc_28_29_31_35_inspecting(docker):
    identifier = docker("network create --label a=b -o com.docker.network.driver.mtu=1400 my-network").strip()
    docker("run -d --name web --network my-network nginx")
    (found,) = json.loads(docker(f"network inspect {identifier[:5]}"))
    assert [one["IPv4Address"] for one in found["Containers"].values()] == ["172.18.0.2/16"]
    assert (found["Labels"], found["Options"]) == ({"a": "b"}, {"com.docker.network.driver.mtu": "1400"})
    assert docker("inspect -f '{{.NetworkSettings.IPAddress}}' web") == "\n"
    docker("stop web")
    assert docker("network inspect -f '{{json .Containers}}' my-network") == "{}\n"


def test_inspect_reads_the_template_first_and_looks_for_one_kind_if_asked(docker):
    docker("create --name web nginx")
    assert (
        docker.refused("inspect -f '{{.Name' web nosuch") == "template parsing error: template: :1: unclosed action\n"
    )
    assert (docker.status, docker.said) == (64, "")
    assert docker("container inspect -f '{{.Name}}' web") == "/web\n"
    assert docker("inspect --type network -f '{{.Name}}' bridge") == "bridge\n"
    for line in ("container inspect bridge", "inspect --type container bridge"):
        assert docker.refused(line) == "Error response from daemon: No such container: bridge\n"
    assert docker.refused("inspect --type volume web").startswith("netlab's docker does not support --type volume")


def test_ud_32_36_connecting_and_disconnecting_while_it_runs(docker):
    docker("network create n1")
    docker("run -d --name box alpine")
    docker("network connect --alias boxy n1 box")
    assert "eth1" in docker("exec box ip -o link")
    assert docker.refused("network connect n1 box") == (
        "Error response from daemon: endpoint with name box already exists in network n1\n"
    )
    docker("network disconnect bridge box")
    assert "default via 172.18.0.1" in docker("exec box ip route")


def test_life_of_a_container(docker):
    docker("create --name web nginx")
    assert docker("start web") == "web\n"
    assert docker.refused("rm web").endswith("stop the container before removing or force remove\n")
    assert docker("restart web") == "web\n"
    docker("rename web web2")
    assert docker("stop -t 0 web2") == "web2\n"
    assert docker.refused("exec web2 ls").endswith(" is not running\n")
    assert docker("rm web2") == "web2\n"


def ends_with(docker, answer, *options):
    """Start a container that answers SIGTERM in some way, and wait until it is ready to."""
    docker(
        f"run -d {' '.join(options)} alpine sh -c 'trap \"{answer}\" TERM; echo ready; while :; do sleep 0.05; done'"
    )
    name = docker.said.strip()[:12]
    wait_until(lambda: "ready" in docker(f"logs {name}"))
    return name


def test_stop_lets_a_process_end_by_itself_and_nobody_starts_it_again(docker, lab):
    name = ends_with(docker, "echo bye; exit 3", "--restart always")
    docker(f"stop {name}")
    assert docker(f"inspect -f '{{{{.State.Status}}}} {{{{.State.ExitCode}}}}' {name}") == "exited 3\n"
    assert docker(f"logs {name}").endswith("bye\n")
    assert "stop" in lab.history[-1].title
    docker(f"start {name}")
    docker(f"restart {name}")
    assert docker(f"inspect -f '{{{{.State.Status}}}}' {name}") == "running\n"


def test_stop_kills_what_does_not_end_in_time_or_does_not_listen(docker):
    stubborn = ends_with(docker, "true", "--name stubborn")
    began = time.monotonic()
    docker(f"stop -t 1 {stubborn}")
    assert 1 <= time.monotonic() - began < 5
    docker("run -d --name deaf alpine sleep 1000")
    began = time.monotonic()
    docker("stop deaf")
    assert time.monotonic() - began < 1
    assert docker("inspect -f '{{.State.ExitCode}}' stubborn deaf") == "137\n137\n"


def test_stop_removes_what_was_to_be_removed(docker, lab):
    name = ends_with(docker, "exit 3", "--rm")
    docker(f"stop {name}")
    assert docker.status == 0
    assert lab.containers == {}


def test_logs_can_be_followed_until_the_container_ends(docker, lab):
    name = ends_with(docker, "echo bye; exit 3")
    stopping = threading.Timer(0.2, docker.lab.stop, [name])
    stopping.start()
    assert docker(f"logs -f {name}") == "ready\nbye\n"
    stopping.join()
    assert docker(f"logs -f -n 1 {name}") == "bye\n"
    docker(f"start {name}")
    heard = []
    following = threading.Thread(target=lambda: heard.append(lab.host.sh(f"docker logs -f {name}").stdout))
    following.start()
    wait_until(lambda: "tail" in lab.host.sh("ps -e -o comm").stdout)
    lab.stop(name)
    following.join(10)
    assert heard == ["ready\nbye\nready\nbye\n"]
    assert "does not support --timestamps" in docker.refused(f"logs -t {name}")


def test_a_command_in_the_foreground_leaves_its_words_in_the_log(docker):
    docker("run --name one alpine sh -c 'echo out; echo err >&2; exit 4'")
    assert docker.status == 4
    assert sorted(docker("logs one").splitlines()) == ["err", "out"]


def test_a_container_that_fails_is_started_again_so_many_times(docker):
    docker("run -d --name box --restart on-failure:2 alpine sh -c 'exit 4'")
    shape = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{json .HostConfig.RestartPolicy}}"
    ended = 'exited 4 2 {"Name":"on-failure","MaximumRetryCount":2}\n'
    wait_until(lambda: docker(f"inspect -f '{shape}' box") == ended)


def test_what_was_never_begun_has_ended_with_128_and_has_no_ports(docker):
    docker("run -d --name one -p 8080:80 nginx")
    docker("run -d --name two -p 8080:80 nginx")
    shape = "'{{.State.Status}} {{.State.ExitCode}} {{json .NetworkSettings.Ports}}'"
    assert docker(f"inspect -f {shape} two") == "created 128 {}\n"
    docker("run -d --name three --network none -p 8080:80 nginx")
    assert docker(f"inspect -f {shape} three") == "running 0 {}\n"


def test_br_28_what_is_refused_first(docker):
    docker("run -d --name one alpine")
    assert "network-scoped aliases are only supported" in docker.refused("network connect --alias x bridge one")
    both = docker.refused("run -d --network-alias x --ip 172.17.0.99 alpine")
    assert both == "docker: network-scoped aliases are only supported for user-defined networks" + HELP


def test_logs_and_environment(docker, lab):
    docker("run -d --name talk -e WORD=hello alpine sh -c 'echo $WORD; exec sleep 1000'")
    lab["talk"].sh("until grep -q sleep /proc/1/cmdline || pgrep -x sleep; do :; done", timeout=5)
    assert docker("logs talk") == docker("logs -n 1 talk") == docker("logs -n x talk") == "hello\n"
    assert docker("logs -n 0 talk") == ""
    assert docker("exec -e MORE=1 talk sh -c 'echo $WORD$MORE'") == "hello1\n"


@pytest.mark.parametrize(("line", "status"), [("nosuchcmd", 127), ("/etc", 126)])
def test_a_command_that_cannot_be_started(docker, line, status):
    assert "unable to start container process: exec" in docker.refused(f"run --rm alpine {line}")
    assert docker.status == status
    assert docker("ps -aq") == ""


# ── inside the lab ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_shell_of_the_host_has_docker_and_a_container_has_not(lab):
    assert lab.host.sh("docker run -d --name web -p 8080:80 nginx").ok
    assert "web" in lab.host.sh("docker ps").stdout
    assert lab.host.sh("docker exec web sh -c 'hostname; exit 3'").returncode == 3
    assert lab.host.sh("echo hi | docker exec -i web cat").stdout == "hi\n"
    assert lab.host.sh("docker run --rm alpine sh -c 'echo out; exit 6'").returncode == 6
    assert not lab["web"].sh("test -e /run/netlab/bin/docker").ok
    assert lab.host.sh("docker rm nosuch").stderr == "Error response from daemon: No such container: nosuch\n"


def test_each_host_has_an_engine_of_its_own(make_lab):
    lab = make_lab(hosts=2)
    second = lab.hosts[1]
    assert second.sh("docker run -d --name web -p 8080:80 nginx").ok
    assert "web" in second.sh("docker ps").stdout
    assert "web" not in lab.host.sh("docker ps").stdout
    assert "web" in lab.host.sh("docker -H host2 ps").stdout
    assert second.sh("docker exec web hostname").stdout.strip() == lab["web"].hostname
    assert second.sh("docker run --rm alpine sh -c 'exit 6'").returncode == 6
    assert lab.host.http("http://203.0.113.11:8080").status == 200
    assert [ip(host, "address show docker0")[0]["addr_info"][0]["local"] for host in lab.hosts] == ["172.17.0.1"] * 2
    assert lab["web"].ping("198.51.100.80")
    lab.run("db", host=second)
    assert lab["db"].address == "172.17.0.3"
    lab.network("mine", host="host2").rm()
    assert "no host 'host9'" in lab.host.sh("docker -H host9 ps").stderr


def test_a_container_of_another_host_has_its_name_in_the_whole_lab(make_lab):
    lab = make_lab(hosts=2)
    lab.run("web", host="host2")
    with pytest.raises(NameTaken, match="'web' is already in use"):
        lab.run("web")
    assert lab.host.sh("docker run -d --name web alpine").returncode == 125
    with pytest.raises(NotFound, match=r"There are: host, host2"):
        lab.run("new", host="host3")
    lab.rm("web")
    lab.run("web")


def test_docker_is_there_again_after_a_reset(lab):
    lab.reset()
    assert lab.host.sh("docker ps -q").ok
