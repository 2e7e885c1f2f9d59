"""Who reaches whom: bridges, internal networks, the host, the outside. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import pytest
from test_ports import code

from netlab import Lab

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def town():
    """A web server and an idle container on each of two networks, on docker0 and on two internal networks."""
    with Lab() as lab:
        for name, internal in (("n1", False), ("n2", False), ("i1", True), ("i2", True)):
            lab.network(name, internal=internal)
        for name in ("bridge", "n1", "n2", "i1", "i2"):
            lab.run(f"web-{name}", image="nginx", network=name)
            lab.run(f"box-{name}", network=name)
        lab.run("published", image="nginx", network="n2", publish="8081:80")
        yield lab


def page(lab, container):
    return f"http://{lab.containers[container].address}"


@pytest.mark.parametrize("name", ["bridge", "n1", "i1"])
def test_containers_of_one_network_reach_each_other_without_nat(town, name):
    """BR-34, IS-01, UD-45."""
    box = town.containers[f"box-{name}"]
    reply = box.http(page(town, f"web-{name}"))
    assert f"for a visitor from {box.address}" in reply.body
    assert box.ping(town.containers[f"web-{name}"])


@pytest.mark.parametrize(("one", "other"), [("n1", "n2"), ("bridge", "n1"), ("n1", "bridge"), ("n1", "i1")])
def test_networks_are_apart_and_packets_are_dropped(town, one, other):
    """IS-02, IS-03, IS-04."""
    box = town.containers[f"box-{one}"]
    assert code(box, page(town, f"web-{other}"), seconds=1) == -28
    assert not box.ping(town.containers[f"web-{other}"], timeout=0.3)


def test_a_published_port_does_not_open_the_containers_own_address(town):
    """IS-03, IS-06."""
    assert code(town.containers["box-n1"], page(town, "published"), seconds=1) == -28
    assert code(town.containers["box-n1"], "http://203.0.113.10:8081") == 200


@pytest.mark.parametrize("target", ["i2", "n1"])
def test_from_an_internal_network_there_is_no_way(town, target):
    """IS-05, UD-46 as from engine 25 on."""
    said = town.containers["box-i1"].sh(f"ping -c1 -W1 {town.containers[f'web-{target}'].address}")
    assert "Network is unreachable" in said.stdout + said.stderr
    assert not town.containers["box-i1"].sh("ip route show default").stdout


def test_an_internal_network_talks_to_its_gateway_and_the_host_to_it(town):
    """UD-45, IS-10."""
    assert town.containers["box-i1"].ping(town.networks["i1"].gateway)
    assert code(town.host, page(town, "web-i1")) == 200


@pytest.mark.parametrize("name", ["bridge", "n1"])
def test_containers_reach_every_address_of_the_host_and_the_outside(town, name):
    """IS-09, IS-13, IS-14."""
    box = town.containers[f"box-{name}"]
    for address in ("172.17.0.1", "172.18.0.1", "172.19.0.1", "203.0.113.10"):
        assert box.ping(address)
    assert "203.0.113.10" in box.http("http://198.51.100.80").body
    hops = box.sh("traceroute -n -q1 -w1 -m3 198.51.100.80").stdout.splitlines()
    assert hops[1].split()[1] == town.networks[name].gateway


@pytest.mark.parametrize("name", ["bridge", "n1", "published"])
def test_the_host_reaches_every_container(town, name):
    """IS-10."""
    assert code(town.host, page(town, name if name == "published" else f"web-{name}")) == 200


@pytest.mark.parametrize("name", ["web-bridge", "web-n1", "published"])
def test_nobody_outside_reaches_a_containers_own_address(town, name):
    """IS-11 as from engine 28 on, IS-12."""
    client = town.internet
    client.sh("ip route replace 172.16.0.0/12 via 203.0.113.10", check=True)
    assert code(client, page(town, name), seconds=1) == -28
    assert not client.ping(town.containers[name], timeout=0.3)


def test_a_students_own_rules_come_first_and_see_the_translated_port(lab):
    """IS-25, IS-26, IS-27."""
    lab.run("web", image="nginx", publish="8080:80")
    rule = "add rule ip docker-bridges DOCKER-USER tcp dport {} drop"
    lab.host.nft(rule.format(8080))
    assert code(lab.internet, "http://203.0.113.10:8080") == 200
    lab.host.nft(rule.format(80))
    assert code(lab.internet, "http://203.0.113.10:8080", seconds=1) == -28
    lab.network("more")
    assert "dport 80 drop" in lab.host.sh("nft list chain ip docker-bridges DOCKER-USER").stdout


def test_iptables_knows_the_chain_for_own_rules(lab):
    """IS-25, IS-26: what a student types on a real host, and what is asked first there."""
    lab.run("web", image="nginx", publish="8080:80")
    assert lab.host.sh("iptables -S FORWARD").stdout.splitlines()[1] == "-A FORWARD -j DOCKER-USER"
    for port, answer in ((8080, 200), (80, -28)):
        lab.host.sh(f"iptables -I DOCKER-USER -p tcp --dport {port} -j DROP", check=True)
        assert code(lab.internet, "http://203.0.113.10:8080", seconds=1) == answer
    lab.network("more", ipv6=True)
    assert "-A DOCKER-USER -p tcp -m tcp --dport 80 -j DROP" in lab.host.sh("iptables -S DOCKER-USER").stdout
    assert "-A FORWARD -j DOCKER-USER" in lab.host.sh("ip6tables -S").stdout


def test_each_rule_of_the_kernel_stands_beside_its_iptables_line(lab):
    lab.network("six", ipv6=True)
    lab.run("web", image="nginx", network="six", publish="8080:80")
    lab.host.nft("add rule ip docker-bridges DOCKER-USER ip saddr 192.0.2.1 counter drop")
    lines = {(one.chain, one.text): one.iptables for one in lab.iptables()}
    target = "-j DNAT --to-destination 172.18.0.2:80"
    (dnat,) = [line for (chain, _), line in lines.items() if chain == "nat-port__172.18.0.2"]
    assert dnat == f"iptables -t nat -A DOCKER ! -i {lab.networks['six'].bridge} -p tcp -m tcp --dport 8080 {target}"
    assert lines["DOCKER-USER", "ip saddr 192.0.2.1 counter drop"] == ""
    found = [(one.chain, one.text) for one in lab.host.rules if one.table == "docker-bridges"]
    assert sorted(set(found)) == sorted(lines)
    assert all(line for (chain, _), line in lines.items() if chain != "DOCKER-USER")
    without = {text for (_, text), line in lines.items() if line.startswith("#")}
    assert all("vmap" in text or text == "ct state established,related counter accept" for text in without)
    lab.rm("web")
    assert "8080" not in str(lab.iptables())


def test_a_policy_that_is_there_already_stays(make_lab):
    """IS-25: rules made by hand before the first network are left alone."""
    lab = make_lab(docker=False)
    lab.host.sh("iptables -P FORWARD DROP && iptables -A FORWARD -i lo -j ACCEPT", check=True)
    lab.network("first")
    assert lab.host.sh("iptables -S FORWARD").stdout.splitlines() == [
        "-P FORWARD DROP",
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -i lo -j ACCEPT",
    ]


def test_without_icc_neighbours_are_apart_but_names_and_published_ports_work(lab):
    """IS-28, BR-38, BR-39."""
    lab.network("apart", options={"com.docker.network.bridge.enable_icc": "false"})
    web = lab.run("web", image="nginx", network="apart", publish="8080:80")
    box = lab.run("box", network="apart")
    assert not box.ping(web, timeout=0.3)
    assert code(box, f"http://{web.address}", seconds=1) == -28
    assert box.sh("dig +short web").stdout == f"{web.address}\n"
    assert code(box, "http://203.0.113.10:8080") == 200
    assert code(lab.internet, "http://203.0.113.10:8080") == 200
