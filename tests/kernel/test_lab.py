"""A lab as it begins: a host on the internet, and docker0 on it. Seen with the kernel's own tools."""

from __future__ import annotations

import pytest
from outside import assert_same, ip, nft, state_of

from netlab.errors import NotFound, RequestError

pytestmark = pytest.mark.kernel


def addresses(place, interface):
    return [f"{one['local']}/{one['prefixlen']}" for one in ip(place, f"-4 address show {interface}")[0]["addr_info"]]


def test_the_host_has_eth0_on_the_internet(lab):
    (eth0,) = ip(lab.host, "link show eth0")
    assert eth0["linkinfo"]["info_kind"] == "veth"
    assert {"UP", "LOWER_UP"} <= set(eth0["flags"])
    assert addresses(lab.host, "eth0") == ["203.0.113.10/24"]
    (default,) = ip(lab.host, "route show default")
    assert (default["gateway"], default["dev"]) == ("203.0.113.1", "eth0")


def test_the_host_has_docker0(lab):
    (docker0,) = ip(lab.host, "link show docker0")
    assert docker0["linkinfo"]["info_kind"] == "bridge"
    assert "UP" in docker0["flags"]
    assert addresses(lab.host, "docker0") == ["172.17.0.1/16"]


def test_bridges_know_from_the_beginning_that_they_have_no_signal(lab):
    lab.network("shop")  # the kernel would find out up to a second later
    found = ip(lab.host, "link show type bridge")
    assert [one["operstate"] for one in found] == ["DOWN", "DOWN"]


def test_the_host_forwards_and_hides_its_containers(lab):
    assert lab.host.sh("sysctl -n net.ipv4.ip_forward").stdout.strip() == "1"
    rules = [entry["rule"] for entry in nft(lab.host) if "rule" in entry]
    (rule,) = [rule for rule in rules if {"masquerade": None} in rule["expr"]]
    assert {"addr": "172.17.0.0", "len": 16} in [
        part["match"]["right"].get("prefix")
        for part in rule["expr"]
        if isinstance(part.get("match", {}).get("right"), dict)
    ]


def test_a_bare_lab_has_neither_docker0_nor_forwarding_nor_rules(bare):
    assert [link["ifname"] for link in ip(bare.host, "link")] == ["lo", "eth0"]
    assert bare.host.sh("sysctl -n net.ipv4.ip_forward").stdout.strip() == "0"
    assert nft(bare.host) == []
    assert bare.internet.ping("203.0.113.10")


@pytest.mark.parametrize(
    ("place", "interface", "address"),
    [
        ("router", "lan", "203.0.113.1/24"),
        ("router", "servers", "198.51.100.1/24"),
        ("client", "eth0", "203.0.113.50/24"),
        ("www", "eth0", "198.51.100.80/24"),
        ("dns", "eth0", "198.51.100.53/24"),
    ],
)
def test_the_machines_of_the_internet_have_the_documented_addresses(shared, place, interface, address):
    assert addresses(shared[place], interface) == [address]


def test_several_hosts_are_on_the_same_network(make_lab):
    lab = make_lab(hosts=3)
    assert [host.name for host in lab.hosts] == ["host", "host2", "host3"]
    assert [addresses(host, "eth0") for host in lab.hosts] == [[f"203.0.113.{number}/24"] for number in (10, 11, 12)]
    assert lab.hosts[2].ping("203.0.113.10")
    assert lab.hosts[1].sh("ip netns list").stdout == ""


@pytest.mark.parametrize("hosts", [0, 10, "2", None, 1.5])
def test_a_number_of_hosts_that_cannot_be_is_refused(make_lab, hosts):
    with pytest.raises(RequestError, match="1 to 9 hosts"):
        make_lab(hosts=hosts)


def test_places_are_found_by_name(shared):
    assert {"host", "router", "client", "www", "dns", "web", "box"} == set(shared.places)
    assert shared["internet"] is shared.internet
    assert shared["host"] is shared.host
    assert shared["web"] is shared.containers["web"]
    with pytest.raises(NotFound, match=r"no place 'wbe'.*There are: host.*web"):
        shared["wbe"]


def test_every_place_is_a_network_namespace_of_its_own(shared):
    seen = {name: int(place.sh("stat -Lc %i /proc/self/ns/net").stdout) for name, place in shared.places.items()}
    assert len(set(seen.values())) == len(seen)
    assert seen == {name: place.inode for name, place in shared.places.items()}


def test_reset_goes_back_to_the_beginning(lab):
    before = state_of(lab.host)
    lab.run("web", image="nginx")
    lab.host.add_bridge("br0")
    lab.host.nft("add table ip lesson")
    lab.namespace("red")
    lab.reset()
    assert set(lab.places) == {"host", "router", "client", "www", "dns"}
    assert lab.containers == {}
    assert lab.history == []
    assert_same(lambda: state_of(lab.host), lambda: before)
    assert lab.run("web", image="nginx").address == "172.17.0.2"


def test_a_lab_is_shown_as_what_the_kernel_reports(lab):
    lab.run("web", image="nginx")
    lab.host.sh("ip link add typed0 type bridge", check=True)
    bundle = lab._repr_mimebundle_()
    for text in (bundle["text/plain"], bundle["image/svg+xml"]):
        assert "web" in text
        assert "172.17.0.2" in text
        assert "typed0" in text
