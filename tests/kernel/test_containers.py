"""Containers: what each has of its own, where it is connected, and how it comes and goes."""

from __future__ import annotations

import pytest
from outside import assert_same, ip, state, wait_until

from netlab.errors import NameTaken, NotFound, RequestError
from netlab.ipam import AddressPool
from netlab.ipam_config import Config

pytestmark = pytest.mark.kernel


def namespaces(place):
    kinds = ("net", "mnt", "uts", "pid", "user")
    return dict(
        zip(
            kinds,
            place.sh(f"stat -Lc %i {' '.join(f'/proc/self/ns/{kind}' for kind in kinds)}").stdout.split(),
            strict=True,
        )
    )


def test_interfaces_made_by_hand_are_not_in_the_way_of_any_number_of_containers(lab):
    by_hand = "\n".join(f"link add by-hand{number} index {number} type bridge" for number in range(20, 200))
    lab.host.sh(f"ip -batch - <<'EOF'\n{by_hand}\nEOF", check=True)
    many = lab.run_many([f"c{number}" for number in range(12)])
    assert len({ip(one, "link show eth0")[0]["ifindex"] for one in many}) > 1
    assert many[0].ping(many[-1].address)


def test_a_container_has_network_mounts_and_host_name_of_its_own(shared):
    seen = [namespaces(place) for place in (shared.host, shared["web"], shared["box"])]
    for kind in ("net", "uts"):
        assert len({one[kind] for one in seen}) == 3
    first = [shared[name].sh("cat /etc/hosts").stdout for name in ("host", "web", "box")]
    assert len(set(first)) == 3


def test_a_container_has_its_own_files(shared):
    web = shared["web"]
    lines = [line.split() for line in web.sh("cat /etc/hosts").stdout.splitlines()]
    assert ["127.0.0.1", "localhost"] in lines
    assert ["172.17.0.2", web.id[:12]] in lines
    assert web.sh("cat /etc/resolv.conf").stdout == "nameserver 198.51.100.53\n"
    assert web.sh("cat /etc/hostname").stdout == web.id[:12] + "\n"
    assert web.sh("hostname").stdout == web.id[:12] + "\n"
    assert web.sh("getent hosts $(hostname)").stdout.split()[0] == "172.17.0.2"


def test_a_container_may_have_a_host_name_of_its_choice(lab):
    db = lab.run("db", image="alpine", hostname="db.example.org")
    assert db.sh("hostname; cat /etc/hostname").stdout == "db.example.org\n" * 2
    assert db.sh("getent hosts db.example.org").stdout.split()[0] == db.address


def test_a_container_is_connected_to_docker0_by_a_veth_pair(shared):
    web = shared["web"]
    (eth0,) = ip(web, "address show eth0")
    assert eth0["linkinfo"]["info_kind"] == "veth"
    assert [f"{one['local']}/{one['prefixlen']}" for one in eth0["addr_info"]] == ["172.17.0.2/16"]
    (port,) = ip(shared.host, f"link show {web.veth}")
    assert port["master"] == "docker0"
    assert (port["ifindex"], port["link_index"]) == (eth0["link_index"], eth0["ifindex"])
    (default,) = ip(web, "route show default")
    assert (default["gateway"], default["dev"]) == ("172.17.0.1", "eth0")


def test_containers_reach_each_other_their_host_and_the_web_server(shared):
    box = shared["box"]
    assert box.ping(shared["web"])
    assert box.ping("172.17.0.1")
    assert "Welcome to nginx!" in box.sh("curl -sS --max-time 5 http://172.17.0.2").stdout
    assert box.http("http://172.17.0.2/nosuch").status == 404
    assert "refused" in shared.host.http("http://172.17.0.3").reason


def test_a_container_has_a_real_process_that_ps_shows(shared):
    listed = shared.host.sh("ps -eo args=").stdout
    assert "nginx: web server on port 80 (netlab)" in listed
    assert "alpine: idle (netlab)" in listed
    assert shared["web"].sh("ss -Htln 'sport = :80'").stdout.count("LISTEN") >= 1
    assert [process.name for process in shared["web"].processes] == ["nginx"]


def test_ip_netns_knows_containers_by_name(shared):
    assert {line.split()[0] for line in shared.host.sh("ip netns list").stdout.splitlines()} == {"web", "box"}
    assert "172.17.0.2" in shared.host.sh("ip -n web address; ip netns exec web hostname -I").stdout


def test_the_lowest_free_address_is_given_out(lab):
    names = ["one", "two", "three"]
    assert [one.address for one in lab.run_many(names)] == ["172.17.0.2", "172.17.0.3", "172.17.0.4"]
    lab.stop("two")
    assert lab.run("four").address == "172.17.0.3"
    assert lab.start("two").address == "172.17.0.5"
    lab.rm("one")
    assert lab.run("five").address == "172.17.0.2"


def test_stop_gives_address_and_cable_back_and_start_brings_them_again(lab):
    before = state(lab)
    web = lab.run("web", image="nginx")
    assert lab.stop("web") is web
    assert (web.status, web.address, web.veth) == ("exited", None, None)
    assert_same(lambda: state(lab), lambda: before)
    assert "nginx" not in lab.host.sh("ps -eo args=").stdout
    with pytest.raises(NotFound, match="web"):
        web.sh("true")
    assert lab.start("web") is web
    assert (web.status, web.address) == ("running", "172.17.0.2")
    assert lab.host.http("http://172.17.0.2")
    assert web.sh("cat /etc/hosts").stdout.count("172.17.0.2") == 1


def test_rm_leaves_the_kernel_as_before_and_frees_the_name(lab):
    before = state(lab)
    lab.run("web", image="nginx")
    lab.rm("web")
    assert_same(lambda: state(lab), lambda: before)
    assert lab.containers == {}
    lab.run("web")
    lab.stop("web")
    lab.rm("web")
    with pytest.raises(NotFound, match="no container 'web'"):
        lab.rm("web")


def test_stopping_and_starting_twice_is_harmless(lab):
    lab.run("web")
    lab.stop("web")
    lab.stop("web")
    lab.start("web")
    web = lab.start("web")
    assert web.ping("172.17.0.1")


@pytest.mark.parametrize("how", ["from inside", "from the host"])
def test_a_container_whose_process_ends_has_exited_and_all_is_free(lab, how):
    before = state(lab)
    web = lab.run("web", image="nginx")
    web.sh("sleep 1000 & true")
    (pid,) = [process.pid for process in web.processes if process.name == "nginx"]
    (web if how == "from inside" else lab.host).sh(f"kill -9 {pid}")
    wait_until(lambda: web.status == "exited")
    assert (web.address, web.veth) == (None, None)
    assert "web" not in lab.places
    wait_until(lambda: "sleep 1000" not in lab.host.sh("ps -eo args=").stdout)
    assert_same(lambda: [line for line in state(lab) if not line.startswith("web:")], lambda: before)
    assert lab.run("next").address == "172.17.0.2"
    assert lab.start("web").address == "172.17.0.3"
    assert lab.host.http("http://172.17.0.3")


def test_processes_started_in_a_container_end_with_it(lab):
    box = lab.run("box")
    box.sh("setsid sleep 1000 & setsid nohup sleep 2000 >/dev/null 2>&1 & true")
    wait_until(lambda: lab.host.sh("pgrep -c sleep").stdout.strip() == "2")
    lab.stop("box")
    wait_until(lambda: lab.host.sh("pgrep -c sleep").stdout.strip() == "0")


def test_an_unknown_image_lists_what_there_is(lab):
    with pytest.raises(NotFound, match=r"no image 'postgres'.*nginx.*alpine.*busybox.*myapp"):
        lab.run("db", image="postgres")
    assert lab.containers == {}
    assert lab.run("db", image="nginx:latest").http("http://127.0.0.1").ok


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["a1", "b1", "a1"], NameTaken),
        (["a1", "web"], NameTaken),
        (["a1", "host"], NameTaken),
        (["a1", "internet"], NameTaken),
        (["a1", "red"], NameTaken),
        (["a1", "b c"], RequestError),
        (["a1", None], RequestError),
    ],
)
def test_run_many_makes_all_or_none(lab, names, error):
    lab.run("web")
    lab.namespace("red")
    before = state(lab)
    with pytest.raises(error):
        lab.run_many(names)
    assert list(lab.containers) == ["web"]
    assert_same(lambda: state(lab), lambda: before)
    assert lab.run("next").address == "172.17.0.3"


def test_a_full_subnet_is_told(lab):
    network = lab.engine.networks.default
    network.pools = [AddressPool(Config("172.17.0.0/29"), "bridge (1f47)")]
    assert [one.address for one in lab.run_many([f"c{number}" for number in range(5)])][-1] == "172.17.0.6"
    with pytest.raises(RequestError, match="no available IPv4 addresses on this network's address pools: bridge"):
        lab.run("late")


def test_a_container_needs_docker0_and_says_so(bare):
    with pytest.raises(RequestError, match=r"no bridge docker0.*add_bridge"):
        bare.run("web")
    bare.host.add_bridge("docker0").up().add_address("172.17.0.1/16")
    assert bare.run("web").ping("172.17.0.1")


def test_commands_of_a_container_are_those_that_connected_it(lab):
    web = lab.run("web")
    assert list(web.commands) == list(lab.commands())
    assert web.commands[0] == "ip netns add web"
    assert any(line.startswith(f"ip link add name {web.veth} ") for line in web.commands)
