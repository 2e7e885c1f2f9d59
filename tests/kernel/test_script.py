"""A lab's script, run in a fresh sandbox, makes a kernel that reports the same: labs of every kind, and the chapters'."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rebuilt import assert_rebuilt, rebuild

from netlab.errors import NetlabError

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks" / "source").glob("0[0-8]-*.md"))
NETLAB = [sys.executable, "-P", "-c", "from netlab.cli import main; main(prog_name='netlab')"]


def everything(lab):
    """Build a bit of everything that the script knows how to build."""
    lab.network("blue", ipv6=True, options={"com.docker.network.driver.mtu": "1400"})
    lab.network(
        "lan", driver="macvlan", subnet="203.0.113.0/24", ip_range="203.0.113.192/27", options={"parent": "eth0"}
    )
    lab.run("web", image="nginx", publish=["8080:80", "127.0.0.1:8081:80"])
    lab.run("app", network="blue", aliases=["shop"], mac="02:00:00:00:00:aa")
    lab.connect("bridge", "app")
    lab.run("far", network="lan")
    lab.run("off")
    lab.stop("off")
    red = lab.namespace("red")
    lab.host.add_veth("left", "right", peer_place=red)
    lab.host.sh(
        "ip link add br0 type bridge mcast_snooping 0 ageing_time 1000; ip link set left master br0 up;"
        "ip link set left type bridge_slave hairpin on; ip address add 10.9.0.1/24 dev br0; ip link set br0 up;"
        "ip address add 10.9.0.3/24 dev br0; ip rule add from 1.2.3.4 lookup 7; ip route add 10.77.0.0/16 via 10.9.0.2 table 7;"
        "ip link add vx0 type vxlan id 42 dstport 4789 local 203.0.113.10 remote 203.0.113.50; ip link set vx0 master br0 up;"
        "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 203.0.113.1; sysctl -w net.ipv4.conf.all.rp_filter=2;"
        "sysctl -w net.ipv4.conf.br0.proxy_arp=1; nft 'add table inet mine; add set inet mine s { type ipv4_addr; }'",
        check=True,
    )
    red.sh(
        "ip link set lo up; ip address add 10.0.0.1/32 dev lo; ip link set right up; ip address add 10.9.0.2/24 dev right;"
        "ip route add default via 10.9.0.1 metric 50; ip route add unreachable 10.66.0.0/16; ip route del 10.9.0.0/24;"
        "ip route add 10.9.0.0/24 dev right; ip -6 address add fd00:9::2/64 dev right nodad; ip link set right mtu 1300;"
        "ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev right; sysctl -w net.ipv4.ip_forward=1",
    )


@pytest.fixture
def full(lab):
    everything(lab)
    return lab


def test_a_lab_with_everything_is_rebuilt_and_works(full):
    page = "curl -s --max-time 5 --retry 9 --retry-connrefused --retry-delay 1 http://203.0.113.10:8080"
    pings = "ip netns exec app ping -q -c 1 -W 2 198.51.100.80 && ip netns exec red ping -q -c 1 -W 2 10.9.0.1"
    said = assert_rebuilt(full, str(full.script()), f"ip netns exec client {page} && {pings}")
    assert "Welcome to nginx!" in said
    assert said.count("1 received") == 2


def test_the_script_is_clean_and_says_what_docker_would_have_been_asked(full, tmp_path):
    file = full.script().save(tmp_path / "lab.sh")
    assert os.access(file, os.X_OK)
    if shutil.which("shellcheck"):  # no part of an installation; the machines that test netlab have it
        done = subprocess.run(["shellcheck", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    text = file.read_text()
    for line in (
        "# docker network create --ipv6 --opt com.docker.network.driver.mtu=1400 blue",
        "# docker network create --driver macvlan --subnet 203.0.113.0/24 --ip-range 203.0.113.192/27 --opt parent=eth0 lan",
        "# docker run -d --name web -p 8080:80 -p 127.0.0.1:8081:80 nginx",
        "# docker run -d --name app --network blue --network-alias shop alpine",
        "# docker network connect bridge app",
        "# docker create --name off alpine",
        "# docker-proxy does not run",
        "# The name server at 127.0.0.11 does not run",
    ):
        assert line in text, line


def test_rebuilt_and_taken_away_nothing_is_left_and_it_can_be_built_again(lab):
    lab.run("web", image="nginx")
    down = "sh /run/lab.sh down; ip netns list; ls /run; while pgrep -x python3 > /dev/null; do sleep 0.1; done"
    up = "sh /run/lab.sh > /dev/null; ip netns list | wc -l"
    _, said = rebuild(str(lab.script()), ["host"], f"{down}; {up}")
    left, _, again = said.partition("netns\n")
    assert left == "lab.sh\n"
    assert again == "6\n"


def test_a_script_that_fails_takes_away_what_it_made_and_nothing_else(lab):
    lab.run("web", image="nginx")
    script = str(lab.script())
    spoiled = script.replace("ip -n web link set eth0 up\n", "ip -n web link set nothing up\n")
    assert spoiled != script
    files = f"cat > /run/bad.sh <<'BAD-LAB'\n{spoiled}\nBAD-LAB\n"
    bad = "sh /run/lab.sh down; sh /run/bad.sh > /dev/null 2>&1; echo status $?; ip netns list"
    own = "ip netns add web; sh /run/lab.sh 2>&1; echo status $?; sh /run/lab.sh down; ip netns list"
    _, said = rebuild(script, ["host"], f"set +e\n{files}{bad}; {own}")
    assert said.splitlines() == [
        "status 1",
        "there is a network namespace of that name already: web",
        "status 1",
        "web",
    ]


def test_rules_of_iptables_are_rebuilt_by_iptables(lab):
    lab.host.sh(
        "iptables -A INPUT -p tcp --dport 99 -j REJECT; iptables -t nat -A OUTPUT -d 192.0.2.1 -j DNAT --to 192.0.2.2"
    )
    assert "iptables-restore" in str(lab.script())
    assert_rebuilt(lab, str(lab.script()))


def test_two_hosts_with_an_overlay_network_are_rebuilt(make_lab):
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    lab.run("one", network="ov")
    lab.run("two", network="ov", host="host2")
    said = assert_rebuilt(lab, str(lab.script()), "ip netns exec one ping -q -c 1 -W 2 10.0.1.3")
    assert "1 received" in said


def test_what_was_made_elsewhere_and_moved_is_made_on_what_it_stands_on(lab):
    lab.namespace("red")
    lab.host.sh(
        "set -e; ip link add vx type vxlan id 42 dstport 4789 remote 203.0.113.50 dev eth0; ip link set vx netns red;"
        "ip link add mv link eth0 type macvlan mode bridge; ip link set mv netns red;"
        "ip link add to-red type veth peer name eth0 netns red; ip -n red link set vx up;"
        "ip -n red address add 10.8.0.1/24 dev vx; ip -n red address add 203.0.113.99/24 dev mv; ip -n red link set mv up",
        check=True,
    )
    said = assert_rebuilt(lab, str(lab.script()), "ip netns exec red ping -q -c 1 -W 2 203.0.113.50")
    assert "1 received" in said


def test_what_stands_on_an_interface_that_cannot_be_rebuilt_is_left_out_with_it_and_the_rest_is_built(lab):
    lab.host.sh(
        "set -e; ip link add odd0 type ifb; ip address add 10.7.0.1/24 dev odd0; ip link set odd0 up;"
        "ip route add 10.70.0.0/16 via 10.7.0.2; ip link add odd1 type ifb; ip link set odd1 master docker0 up;"
        "ip link add odd2 type ifb; ip link add mv link odd2 type macvlan; ip link set mv up;"
        "ip neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev mv;"
        "bridge fdb add 02:00:00:00:00:08 dev odd1 master static; ip route add 10.90.0.0/16 via 203.0.113.1",
        check=True,
    )
    script = str(lab.script())
    for name, kind in (("odd0", "ifb"), ("odd1", "ifb"), ("odd2", "ifb"), ("mv", "macvlan")):
        assert f"# {name} in host, with its routes: an interface of the kind {kind} is not rebuilt." in script
    _, said = rebuild(script, ["host"], "ip -n host -brief link; ip -n host route")
    assert "10.90.0.0/16 via 203.0.113.1 dev eth0" in said
    assert not {"odd0", "odd1", "mv@odd2", "mv"} & set(said.split())


def test_the_terminal_prints_the_script_of_a_lab(lab, tmp_path):
    def netlab(*words):
        return subprocess.run([*NETLAB, *words], capture_output=True, text=True, check=False, timeout=60)

    done = netlab("script", "--lab", lab.name)
    assert (done.returncode, done.stdout) == (0, str(lab.script()))
    assert netlab("script", "--lab", lab.name, "--output", str(tmp_path / "lab.sh")).returncode == 0
    assert (tmp_path / "lab.sh").read_text() == done.stdout
    assert netlab("script", "--lab", "nobody").returncode == 1


# ── random labs ────────────────────────────────────────────────────────────────────────────────────────────────────

_NAMES = st.sampled_from(["box-1", "box-2", "box-3"])
_STEPS = st.one_of(
    st.tuples(st.just("run"), _NAMES, st.sampled_from(["bridge", "blue", "none"]), st.booleans()),
    st.tuples(st.just("rm"), _NAMES),
    st.tuples(st.just("stop"), _NAMES),
    st.tuples(st.just("start"), _NAMES),
    st.tuples(st.just("network"), st.booleans(), st.booleans()),
    st.tuples(st.just("connect"), _NAMES),
    st.tuples(st.just("disconnect"), _NAMES),
    st.tuples(
        st.just("sh"),
        st.sampled_from(["host", "red", "box-1"]),
        st.sampled_from(
            [
                "ip netns add red",
                "ip netns delete red",
                "ip link add left type veth peer name right netns red",
                "ip link add br0 type bridge",
                "ip link set left master br0",
                "ip link set left up; ip link set br0 up",
                "ip link set right up",
                "ip link set eth0 down",
                "ip link set eth0 mtu 1280",
                "ip link set docker0 down",
                "ip link delete left",
                "ip address add 10.5.0.1/24 dev right",
                "ip address add 10.5.0.2/24 dev br0; ip address add 10.5.0.3/24 dev br0",
                "ip -6 address add fd00::5/64 dev lo",
                "ip route add default via 10.5.0.2",
                "ip route add blackhole 10.200.0.0/16",
                "ip route del 172.17.0.0/16",
                "ip link set lo down",
                "nft add table ip t; nft add chain ip t c '{ type filter hook input priority 0; }'; nft add rule ip t c accept",
                "nft flush ruleset",
                "sysctl -w net.ipv4.ip_forward=0",
                "sysctl -w net.ipv4.conf.default.rp_filter=1",
                "sysctl -w net.ipv6.conf.all.disable_ipv6=1",
            ]
        ),
    ),
)


def perform(lab, step) -> None:
    """Do one random thing to a lab; what is refused is refused."""
    what, *words = step
    try:
        if what == "run":
            name, network, published = words
            lab.run(name, image="nginx" if published else "alpine", network=network, publish_all=published)
        elif what == "network":
            lab.network("blue", internal=words[0], ipv6=words[1])
        elif what == "sh":
            lab[words[0]].sh(words[1])
        elif what == "connect":
            lab.connect("blue", words[0])
        elif what == "disconnect":
            lab.disconnect("bridge", words[0])
        else:
            getattr(lab, what)(words[0])
    except NetlabError:
        pass


@settings(
    max_examples=int(os.environ.get("NETLAB_EXAMPLES", "4")),
    deadline=None,
    derandomize="NETLAB_EXAMPLES" not in os.environ,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEPS, min_size=4, max_size=14))
def test_whatever_was_done_the_script_rebuilds_it(lab, steps):
    lab.reset()
    for step in steps:
        perform(lab, step)
    assert_rebuilt(lab, str(lab.script()))


# ── the chapters ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", range(3))
def test_the_labs_of_all_chapters_are_rebuilt(number):
    """Each chapter in a process of its own, exercises solved; most of their time they wait for packets that do not come."""

    def run(chapter):
        program = [sys.executable, "-P", Path(__file__).with_name("chapter_run.py"), chapter, "script"]
        where = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "kernel")])}
        done = subprocess.run(
            program, capture_output=True, text=True, check=False, timeout=110, env={**os.environ, **where}
        )
        return chapter.stem, done.returncode, (done.stdout + done.stderr)[-2000:]

    third = CHAPTERS[number::3]  # a third of them at once is as much as two cores carry
    with ThreadPoolExecutor(len(third)) as pool:
        done = list(pool.map(run, third))
    assert len(done) == 3
    failed = [f"{stem}: {said}" for stem, status, said in done if status != 0 or said.strip() == "0"]
    assert not failed, "\n".join(failed)
