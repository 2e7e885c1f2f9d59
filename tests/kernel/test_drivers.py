"""The drivers besides bridge: none, host, container: and macvlan. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import pytest
from outside import assert_same, ip, state, wait_until
from test_ports import code

from netlab.errors import NameTaken, NotFound, RequestError

pytestmark = pytest.mark.kernel


def test_none_has_lo_alone(lab):
    """DR-01, DR-02, DR-03."""
    alone = lab.run("alone", network="none")
    assert [one["ifname"] for one in ip(alone, "address")] == ["lo"]
    assert ip(alone, "route") == []
    assert alone.ping("127.0.0.1")
    said = alone.sh("ping -c1 8.8.8.8")
    assert "Network is unreachable" in said.stdout + said.stderr
    assert alone.hostname not in alone.sh("cat /etc/hosts").stdout
    assert alone.sh("cat /etc/resolv.conf").stdout == "nameserver 198.51.100.53\n"


def test_host_has_the_hosts_own_network(lab):
    """DR-05, DR-07."""
    before = state(lab)
    web = lab.run("web", image="nginx", network="host")
    assert web.inode == lab.host.inode
    assert web.address is None
    assert code(lab.internet, "http://203.0.113.10") == 200
    lab.rm("web")
    assert_same(lambda: state(lab), lambda: before)


@pytest.mark.parametrize("driver", ["host", "null"])
def test_host_and_none_are_there_once(lab, driver):
    """DR-10."""
    with pytest.raises(RequestError, match=f'only one instance of "{driver}" network is allowed'):
        lab.network("more", driver=driver)


def test_a_container_may_share_the_network_of_another(lab):
    """DR-11, DR-14."""
    lab.network("c-n1")
    web = lab.run("web", image="nginx")
    guest = lab.run("guest", network="container:web")
    assert guest.inode == web.inode
    assert guest.sh("hostname; cat /etc/hosts").stdout == web.sh("hostname; cat /etc/hosts").stdout
    assert code(guest, "http://127.0.0.1") == 200
    lab.connect("c-n1", "web")
    assert [one["ifname"] for one in ip(guest, "address")] == ["lo", "eth0", "eth1"]
    with pytest.raises(RequestError, match="cannot be connected to any other network"):
        lab.connect("c-n1", "guest")
    lab.rm("guest")
    assert code(lab.host, f"http://{web.address}") == 200


def test_whoever_shares_a_network_keeps_lo_when_the_other_one_ends(lab):
    """DR-15."""
    web = lab.run("web")
    guest = lab.run("guest", network="container:web")
    guest.sh("sleep 1000 >/dev/null 2>&1 &", check=True)
    lab.stop("web")
    assert guest.status == "running"
    assert [one["ifname"] for one in ip(guest, "link")] == ["lo"]
    assert "sleep 1000" in guest.sh("ps -e -o args").stdout
    with pytest.raises(RequestError, match=f"cannot join network namespace of a non running container: {web.id}"):
        lab.restart("guest")
    assert guest.status == "exited"


@pytest.mark.parametrize("network", ["host", "container:web"])
def test_a_network_that_is_not_its_own_takes_no_hardware_address(lab, network):
    """DR-09."""
    lab.run("web")
    with pytest.raises(RequestError, match="conflicting options: mac-address and the network mode"):
        lab.run("guest", network=network, mac="02:00:00:00:00:01")
    assert "guest" not in lab.containers


def test_sharing_what_cannot_be_shared_is_refused(lab):
    """DR-12, DR-13, DR-15."""
    web = lab.run("web")
    for options, words in (
        ({"hostname": "other"}, "conflicting options: hostname and the network mode"),
        ({"dns": ["192.0.2.1"]}, "conflicting options: dns and the network mode"),
        ({"extra_hosts": {"a": "192.0.2.1"}}, "conflicting options: custom host-to-IP mapping and the network mode"),
        ({"expose": "80"}, "conflicting options: port exposing and the container type network mode"),
    ):
        with pytest.raises(RequestError, match=words):
            lab.run("guest", network="container:web", **options)
    with pytest.raises(RequestError, match="invalid container format"):
        lab.run("guest", network="container:")
    with pytest.raises(NotFound, match="nosuch"):
        lab.run("guest", network="container:nosuch")
    lab.stop("web")
    with pytest.raises(RequestError, match=f"cannot join network namespace of a non running container: {web.id}"):
        lab.run("guest", network="container:web")
    assert list(lab.containers) == ["web"]


def test_macvlan_stands_on_the_hosts_network_without_a_bridge_or_rules(lab):
    """DR-16, DR-17, DR-18, UD-07."""
    before = state(lab)
    lab.network(
        "lan",
        driver="macvlan",
        subnet="203.0.113.0/24",
        gateway="203.0.113.1",
        ip_range="203.0.113.192/27",
        options={"parent": "eth0"},
    )
    assert_same(lambda: state(lab), lambda: before)
    web = lab.run("web", image="nginx", network="lan", publish="8080:80")
    box = lab.run("box", network="lan")
    (eth0,) = ip(web, "link show eth0")
    assert (eth0["linkinfo"]["info_kind"], eth0["linkinfo"]["info_data"]["mode"]) == ("macvlan", "bridge")
    assert (web.address, web.ports, web.veth) == ("203.0.113.192", {}, None)
    assert box.sh("dig +short web").stdout == "203.0.113.192\n"
    assert code(box, "http://web") == 200
    assert code(lab.internet, "http://203.0.113.192") == 200
    assert code(box, "http://198.51.100.80") == 200
    assert not lab.host.ping(web, timeout=0.3)
    for name in ("web", "box"):
        lab.rm(name)
    lab.remove_network("lan")
    wait_until(lambda: not lab.internet.ping("203.0.113.192", timeout=0.2))
    assert_same(lambda: state(lab), lambda: before)


def test_macvlan_refuses_what_cannot_be(lab):
    """DR-19, DR-21."""
    options = {"parent": "eth0", "macvlan_mode": "private"}
    lab.network(
        "lan",
        driver="macvlan",
        subnet="203.0.113.0/24",
        ip_range="203.0.113.192/27",
        gateway="203.0.113.1",
        options=options,
    )
    one, other = lab.run_many(["one", "other"], network="lan")
    assert not one.ping(other, timeout=0.3)
    assert one.ping("203.0.113.1")
    for more, words in (
        ({"macvlan_mode": "bogus"}, "requested macvlan mode 'bogus' is not valid"),
        ({"parent": "nosuch0"}, "not found on the host: nosuch0"),
        ({"parent": ""}, "needs an interface of the host"),
    ):
        with pytest.raises(RequestError, match=words):
            lab.network("bad", driver="macvlan", options={**options, **more})
    with pytest.raises(NameTaken):
        lab.network("lan", driver="macvlan", options=options)


def test_a_macvlan_interface_is_gone_before_its_hardware_address_is_used_again(lab):
    lab.network("lan", driver="macvlan", subnet="203.0.113.0/24", gateway="203.0.113.1", options={"parent": "eth0"})
    box = lab.run("box", network="lan", mac="02:00:00:00:00:aa")
    for _ in range(10):
        lab.restart("box")  # the kernel takes apart the old namespace meanwhile, and refuses an address that is in use
        assert ip(box, "link show eth0")[0]["address"] == "02:00:00:00:00:aa"


def test_both_ends_go_with_a_container_whatever_their_names_and_whoever_joined_it(lab):
    before = ip(lab.host, "link show")
    box = lab.run("box")
    lab.run("guest", network="container:box")
    lab.host.sh(f"ip link set {box.veth} down; ip link set {box.veth} name other0", check=True)
    lab.rm("box")
    assert {one["ifname"] for one in ip(lab.host, "link show")} == {one["ifname"] for one in before}
    assert [one["ifname"] for one in ip(lab["guest"], "link show")] == ["lo"]


def test_a_renamed_container_takes_its_own_macvlan_interface_with_it_and_no_other(lab):
    lab.network("lan", driver="macvlan", subnet="203.0.113.0/24", gateway="203.0.113.1", options={"parent": "eth0"})
    old = lab.run("box", network="lan")
    lab.rename("box", "old")
    new = lab.run("box", network="lan")
    lab.disconnect("lan", "old")
    assert [one["ifname"] for one in ip(old, "link show")] == ["lo"]
    assert [one["ifname"] for one in ip(new, "link show")] == ["lo", "eth0"]
    assert lab.internet.ping(new)
