"""Networks: addresses, connecting and leaving, default routes, hosts files. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import pytest
from outside import assert_same, ip, nft, state, wait_until

from netlab.docker.records import Specification
from netlab.errors import NameTaken, NotFound, RequestError

pytestmark = pytest.mark.kernel


def addresses(place):
    """Return name and IPv4 addresses of all interfaces but lo."""
    return {
        one["ifname"]: [f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"] if each["family"] == "inet"]
        for one in ip(place, "address")
        if one["ifname"] != "lo"
    }


def default_routes(place, family="-4"):
    return [(one["gateway"], one["dev"]) for one in ip(place, f"{family} route show default")]


def hosts(place):
    return [line.split() for line in place.sh("cat /etc/hosts").stdout.splitlines()[6:]]


def test_a_network_is_a_bridge_with_the_first_address_of_the_first_free_pool(lab):
    """UD-01, UD-08, UD-10."""
    network = lab.network("c-n1")
    assert network.subnet == "172.18.0.0/16"
    (bridge,) = ip(lab.host, f"address show br-{network.id[:12]}")
    assert bridge["linkinfo"]["info_kind"] == "bridge"
    assert [(one["local"], one["prefixlen"]) for one in bridge["addr_info"] if one["family"] == "inet"] == [
        ("172.18.0.1", 16)
    ]


def test_a_freed_pool_is_the_next_again(lab):
    """UD-03 as from engine 27 on; LC-10."""
    for name in ("p1", "p2", "p3"):
        lab.network(name)
    lab.remove_network("p1")
    assert lab.network("p4").subnet == "172.18.0.0/16"
    assert sorted(lab.engine.networks.prune()) == ["p2", "p3", "p4"]
    assert sorted(lab.networks) == ["bridge", "host", "none"]


def test_a_pool_that_the_host_reaches_already_is_left_out(lab):
    """UD-04, UD-05."""
    lab.host.add_bridge("br0").up().add_address("172.18.9.1/24")
    lab.host.add_route("172.19.0.0/16", via="203.0.113.1")
    assert lab.network("c-n1").subnet == "172.19.0.0/16"


def test_making_and_removing_a_network_is_neutral(lab):
    """LC-03, LC-04."""
    before = state(lab)
    lab.network("one")
    lab.network("six", ipv6=True, internal=True)
    lab.run("web", image="nginx", network="one", publish="8080:80")
    lab.rm("web")
    lab.remove_network("one")
    lab.remove_network("six")
    after = [
        line for line in state(lab) if "ip6" not in line
    ]  # forwarding and the table for IPv6 stay, as the engine's
    assert_same(lambda: after, lambda: [line for line in before if "ip6" not in line])


def test_gateway_range_and_address_are_as_asked(lab):
    """UD-15, UD-16, UD-18, UD-43."""
    network = lab.network("c-n1", subnet="10.99.0.0/24", gateway="10.99.0.254", ip_range="10.99.0.128/25")
    first, second = lab.run_many(["c1", "c2"], network=network)
    assert (first.address, second.address) == ("10.99.0.128", "10.99.0.129")
    assert default_routes(first) == [("10.99.0.254", "eth0")]
    third = lab.run("c3", network=network, ip="10.99.0.7")
    assert addresses(third) == {"eth0": ["10.99.0.7/24"]}
    box = lab.run("box")
    network.connect(box, ip="10.99.0.8")
    assert addresses(box)["eth1"] == ["10.99.0.8/24"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.99.0.2", "Address already in use"),
        ("10.99.0.1", "Address already in use"),
        ("10.99.0.0", "Address already in use"),
        ("10.99.0.255", "Address already in use"),
        ("10.98.0.7", "no configured subnet contains IP address 10.98.0.7"),
        ("foo", "invalid IPv4 address: foo"),
    ],
)
def test_an_address_that_cannot_be_is_refused(lab, address, words):
    """UD-19, UD-20, UD-21."""
    lab.network("c-n1", subnet="10.99.0.0/24")
    lab.run("c1", network="c-n1")
    before = state(lab)
    with pytest.raises(RequestError, match=words):
        lab.run("c2", network="c-n1", ip=address)
    assert list(lab.containers) == ["c1"]
    assert_same(lambda: state(lab), lambda: before)


def test_what_the_default_bridge_does_not_do_is_refused(lab):
    """BR-28, BR-29."""
    with pytest.raises(RequestError, match="user-specified IP address is supported on user-defined networks only"):
        lab.run("c1", ip="172.17.0.99")
    with pytest.raises(RequestError, match="only supported for user-defined networks"):
        lab.run("c1", aliases=["x1"])


def test_each_network_is_an_interface_and_a_line_in_hosts(lab):
    """UD-32, UD-33 as from engine 28 on, DN-52."""
    for name in ("c-n1", "c-n2", "c-n3"):
        lab.network(name)
    box = lab.run("box", network="c-n1")
    lab.connect("c-n2", "box")
    box.sh("echo 192.0.2.1 mine >> /etc/hosts")
    lab.connect("c-n3", "box")
    assert addresses(box) == {"eth0": ["172.18.0.2/16"], "eth1": ["172.19.0.2/16"], "eth2": ["172.20.0.2/16"]}
    own = [["172.18.0.2", box.hostname], ["172.19.0.2", box.hostname]]
    assert hosts(box) == [*own, ["192.0.2.1", "mine"], ["172.20.0.2", box.hostname]]
    lab.disconnect("c-n2", "box")
    assert hosts(box) == [own[0], ["192.0.2.1", "mine"], ["172.20.0.2", box.hostname]]
    lab.connect("c-n2", "box")
    assert addresses(box)["eth1"] == ["172.19.0.2/16"]
    lab.restart("box")
    assert ["192.0.2.1", "mine"] not in hosts(box)


def test_the_default_route_belongs_to_the_network_whose_name_is_first(lab):
    """UD-35, UD-36, UD-37, UD-46 as from engine 25 on."""
    for name in ("c-n1", "c-n2", "c-n3"):
        lab.network(name)
    lab.network("c-a", internal=True)
    box = lab.run("box", network="c-n2")
    lab.connect("c-n3", "box")
    assert default_routes(box) == [("172.19.0.1", "eth0")]
    lab.connect("c-n1", "box")
    lab.connect("c-a", "box")
    assert default_routes(box) == [("172.18.0.1", "eth2")]
    lab.disconnect("c-n1", "box")
    assert default_routes(box) == [("172.19.0.1", "eth0")]
    for name in ("c-n2", "c-n3"):
        lab.disconnect(name, "box")
    assert default_routes(box) == []
    lab.disconnect("c-a", "box")
    assert ip(box, "route") == []


def test_networks_are_kept_while_a_container_is_stopped(lab):
    """UD-34, UD-41, UD-42, BR-07, BR-08, LC-29."""
    for name in ("c-n1", "c-n2"):
        lab.network(name, subnet=f"10.9.{name[-1]}.0/24")
    box = lab.run("box", network="c-n2", ip="10.9.2.55")
    lab.stop("box")
    assert lab.networks["c-n2"].containers == {}
    lab.connect("c-n1", "box")
    other = lab.run("other", network="c-n2", ip="10.9.2.55")
    with pytest.raises(RequestError, match="Address already in use"):
        lab.start("box")
    lab.rm(other.name)
    lab.start("box")
    assert addresses(box) == {"eth0": ["10.9.1.2/24"], "eth1": ["10.9.2.55/24"]}
    lab.stop("box")
    lab.disconnect("c-n2", "box")
    assert addresses(lab.start("box")) == {"eth0": ["10.9.1.2/24"]}


def test_connections_that_cannot_be_are_refused_in_the_engines_words(lab):
    """UD-38, UD-39, UD-40, DR-04, DR-08."""
    network = lab.network("c-n1")
    lab.run("c1", network="c-n1")
    lab.run("alone", network="none")
    lab.run("open", network="host")
    for container, words in (
        ("c1", "endpoint with name c1 already exists in network c-n1"),
        ("alone", r"one of the networks in private \(none\) mode"),
        ("open", "cannot be connected to any other network"),
    ):
        with pytest.raises(RequestError, match=words):
            network.connect(container)
    with pytest.raises(NotFound, match="network nosuch not found"):
        lab.connect("nosuch", "c1")
    lab.network("c-n2")
    with pytest.raises(RequestError, match="is not connected to network c-n2"):
        lab.disconnect("c-n2", "c1")
    lab.disconnect("none", "alone")
    network.connect("alone")
    assert addresses(lab["alone"]) == {"eth0": ["172.18.0.3/16"]}


def test_a_network_in_use_stays(lab):
    """LC-05, LC-07, LC-08, LC-11, LC-12, LC-13, LC-14, LC-15, LC-24."""
    network = lab.network("c-n1")
    lab.run("c1", network="c-n1")
    with pytest.raises(RequestError, match=r"has active endpoints .name:.c1"):
        network.rm()
    with pytest.raises(NameTaken, match="network with name c-n1 already exists"):
        lab.network("c-n1")
    for subnet in ("172.18.0.0/16", "172.18.7.0/24", "172.16.0.0/12"):
        with pytest.raises(RequestError, match="Pool overlaps with other one on this address space"):
            lab.network("c-n2", subnet=subnet)
    with pytest.raises(RequestError, match="operation is not permitted on predefined bridge network"):
        lab.network("bridge")
    with pytest.raises(RequestError, match="bridge is a pre-defined network and cannot be removed"):
        lab.remove_network("bridge")
    with pytest.raises(NotFound, match="network nosuch not found"):
        lab.remove_network("nosuch")
    with pytest.raises(RequestError, match='plugin "bogus" not found'):
        lab.network("c-n2", driver="bogus")
    lab.stop("c1")
    network.rm()
    with pytest.raises(NotFound, match=f"network {network.id} not found"):
        lab.start("c1")
    lab.network("c-n1")
    with pytest.raises(NotFound, match=f"network {network.id} not found"):
        lab.start("c1")
    lab.engine.disconnect("c1", "c-n1", force=True)
    assert lab.start("c1").addresses == {}


def test_options_of_a_network_reach_the_kernel(lab):
    """UD-11, UD-30, UD-31, UD-49, UD-50, UD-51."""
    options = {
        "com.docker.network.bridge.name": "mine0",
        "com.docker.network.driver.mtu": "1280",
        "com.docker.network.container_iface_prefix": "net",
        "com.docker.network.host_ipv4": "203.0.113.10",
    }
    lab.network("c-n1", options=options)
    box = lab.run("box", network="c-n1")
    assert [
        ip(place, f"link show {name}")[0]["mtu"]
        for place, name in ((lab.host, "mine0"), (lab.host, box.veth), (box, "net0"))
    ] == [1280] * 3
    assert "snat to 203.0.113.10" in lab.host.sh("nft list ruleset").stdout
    lab.network("c-n2", options={"com.docker.network.bridge.enable_ip_masquerade": "false"})
    masquerades = [one for one in nft(lab.host) if "rule" in one and {"masquerade": None} in one["rule"]["expr"]]
    assert len(masquerades) == 1  # that of docker0
    with pytest.raises(RequestError, match=r"failed to parse com\.docker\.network\.driver\.mtu value: abc"):
        lab.network("c-n3", options={"com.docker.network.driver.mtu": "abc"})


def test_a_bridge_may_be_without_an_address(lab):
    """UD-52; and on an internal network nobody needs a gateway's then, so that a /31 holds two containers (UD-25, 28)."""
    bare = {"com.docker.network.bridge.inhibit_ipv4": "true"}
    assert ip(lab.host, f"-4 address show {lab.network('bare', options=bare).bridge}") == []
    lab.network("pair", internal=True, subnet="10.9.9.0/31", options=bare)
    one, two = lab.run_many(["one", "two"], network="pair")
    assert (one.address, two.address) == ("10.9.9.0", "10.9.9.1")
    assert one.ping("two")


def test_a_hardware_address_may_be_chosen_and_survives_restart(lab):
    """BR-12, BR-13."""
    box = lab.run("box", mac="02:00:00:00:00:aa")
    lab.run("twin", mac="02:00:00:00:00:aa")
    assert ip(box, "link show eth0")[0]["address"] == "02:00:00:00:00:aa"
    lab.restart("box")
    assert ip(box, "link show eth0")[0]["address"] == "02:00:00:00:00:aa"
    with pytest.raises(RequestError, match="nonsense is not a valid mac address"):
        lab.run("other", mac="nonsense")


def test_added_hosts_stand_before_the_own_address(lab):
    """BR-25."""
    box = lab.run("box", extra_hosts={"foo": "1.2.3.4", "hg": "host-gateway"})
    assert hosts(box) == [["1.2.3.4", "foo"], ["172.17.0.1", "hg"], ["172.17.0.2", box.hostname]]


def test_a_command_is_the_first_process_and_ends_the_container(lab):
    """LC-01: it begins once the container is connected, its output is kept, its status too."""
    box = lab.run(
        "box",
        command="sh -c 'ip -br address show eth0; echo $X $HOSTNAME; echo bad >&2; exit 3'",
        environment={"X": "y"},
    )
    wait_until(lambda: box.status == "exited")
    assert box.exit_code == 3
    assert lab.logs("box").split() == ["eth0@if5", "UP", "172.17.0.2/16", "y", box.hostname, "bad"]
    missing = lab.run("missing", command=["nosuch"])
    wait_until(lambda: missing.status == "exited")
    assert missing.exit_code == 127
    assert "executable file not found in $PATH" in lab.logs("missing")


def test_a_container_that_fails_is_started_again_if_that_was_asked(lab):
    """PM-54's policy, without a restart of the engine: later and later, and never after `rm`."""
    command = ("sh", "-c", "exit 1")
    with lab.lock:
        (box,) = lab.engine.run(["box"], Specification("alpine", command=command, restart="on-failure"))
        lab.engine.run(["gone"], Specification("alpine", command=command, auto_remove=True))
    wait_until(lambda: box.restarts >= 2)
    wait_until(lambda: "gone" not in lab.containers)
    lab.rm("box")
    assert lab.containers == {}
