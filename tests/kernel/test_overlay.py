"""Overlay networks over the hosts of a lab, seen from outside. The rows named are those of the catalogue (DR)."""

from __future__ import annotations

import json
import threading
from errno import EOPNOTSUPP

import pytest
from outside import assert_same, ip, state_of, wait_until

from netlab.errors import KernelRefused, NameTaken, RequestError
from netlab.kernel.netlink import Refusal, RouteSocket

pytestmark = pytest.mark.kernel

HOSTS = {"host": "203.0.113.10", "host2": "203.0.113.11", "host3": "203.0.113.12"}


@pytest.fixture
def lab(make_lab):
    """A lab of two hosts with an overlay network, and a container of it on each."""
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    lab.run("web", image="nginx", network="ov", aliases=["www"])
    lab.run("box", network="ov", host="host2")
    return lab


def tunnel(lab, network, host):
    """Return what typing on a host says of a network's namespace: links, forwarding and neighbour entries."""
    place = next(one for one in lab.hosts if one.name == host)
    name = f"1-{lab.networks[network].id[:10]}"
    if name not in place.sh("ls /run/netns").stdout.split():
        return None
    told = {
        "links": f"ip -n {name} -j -d address",
        "fdb": f"bridge -n {name} -j fdb show dev vxlan0",
        "neigh": f"ip -n {name} -j neigh show dev vxlan0 nud permanent",
    }
    found = {key: json.loads(place.sh(line, check=True).stdout or "[]") for key, line in told.items()}
    found["links"] = {one["ifname"]: one for one in found["links"]}
    found["peers"] = {(one["mac"], one["dst"]) for one in found["fdb"] if "dst" in one}
    found["arp"] = {(one["dst"], one["lladdr"]) for one in found["neigh"]}
    return found


def everywhere(lab):
    """Return what the kernel reports of all hosts, and of what has a name on them."""
    lab.world.refresh()
    return [line for place in lab.places.values() for line in state_of(place)]


class Wire:
    """What passes between the hosts as VXLAN while a block runs: `packets` are tcpdump's lines, two for each.

    A ping of the client marks the end: what was sent before it has been heard when the ping has.
    """

    def __init__(self, lab):
        self.router, self.client = lab.internet.router, lab.internet.client
        self.heard, self.packets = [], ""

    def __enter__(self):
        line = "echo $$; exec tcpdump -n -t -l --immediate-mode -i lan 'udp port 4789 or (icmp and src 203.0.113.50)'"
        hear = {"hear": lambda _, text: self.heard.append(text), "timeout": 60}
        self.thread = threading.Thread(target=self.router.sh, args=(line,), kwargs=hear)
        self.thread.start()
        wait_until(lambda: "listening on" in "".join(self.heard), what="tcpdump listens")
        return self

    def __exit__(self, *_):
        assert self.client.ping("203.0.113.10")
        wait_until(lambda: "203.0.113.50 >" in "".join(self.heard), what="tcpdump has heard the last packet")
        said = "".join(self.heard).splitlines()
        self.router.sh(f"kill -INT {next(line for line in said if line.isdecimal())}", check=True)
        self.thread.join()
        self.packets = "\n".join(line for line in said if "IP " in line and "203.0.113.50 >" not in line)


# ── what is made ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_host_gets_the_network_with_its_first_container(make_lab):
    """DR-28, DR-32."""
    lab = make_lab(hosts=2)
    network = lab.network("ov", driver="overlay")
    assert (network.subnet, network.driver) == ("10.0.1.0/24", "overlay")
    assert lab.network("other", driver="overlay").subnet == "10.0.2.0/24"
    assert tunnel(lab, "ov", "host") is None
    lab.run("web", network=network)
    assert tunnel(lab, "ov", "host2") is None
    links = tunnel(lab, "ov", "host")["links"]
    assert {name.rstrip("0123456789abcdef") for name in links} == {"lo", "br", "vxlan", "veth"}
    assert [one["local"] for one in links["br0"]["addr_info"]] == ["10.0.1.1"]
    assert links["vxlan0"]["addr_info"] == []
    assert {one["master"] for name, one in links.items() if name.startswith(("vxlan", "veth"))} == {"br0"}
    assert {one["mtu"] for name, one in links.items() if name != "lo"} == {1450}
    kind = links["vxlan0"]["linkinfo"]["info_data"]
    assert (kind["id"], kind["port"], kind["learning"]) == (4097, 4789, True)
    assert {"proxy", "l2miss", "l3miss"} <= {key for key, value in kind.items() if value is True}
    lab.run("second", network="other")
    assert tunnel(lab, "other", "host")["links"]["vxlan0"]["linkinfo"]["info_data"]["id"] == 4098


def test_a_container_has_two_interfaces_and_the_way_out_is_the_second(lab):
    """DR-30, DR-34."""
    links = {one["ifname"]: one for one in ip(lab["web"], "address")}
    assert (links["eth0"]["mtu"], links["eth1"]["mtu"]) == (1450, 1500)
    assert links["eth0"]["addr_info"][0]["local"] == "10.0.1.2"
    assert links["eth1"]["addr_info"][0]["local"] == "172.18.0.2"
    (way,) = ip(lab["web"], "route show default")
    assert (way["gateway"], way["dev"]) == ("172.18.0.1", "eth1")
    assert lab["box"].sh("ip -j -4 address show eth0").stdout.count('"10.0.1.3"') == 1
    assert lab["web"].sh("cat /etc/hosts").stdout.count("\t" + lab["web"].hostname) == 1
    assert lab["web"].ping("198.51.100.80")
    assert lab["box"].ping("198.51.100.80")


def test_each_host_knows_the_containers_of_the_others(make_lab):
    """DR-35, DR-36."""
    lab = make_lab(hosts=3)
    lab.network("ov", driver="overlay")
    macs = {}
    for number, host in enumerate(HOSTS):
        lab.run(f"c-{host}", network="ov", host=host)
        macs[host] = f"02:42:0a:00:01:{number + 2:02x}"
    for host in HOSTS:
        others = [other for other in HOSTS if other != host]
        seen = tunnel(lab, "ov", host)
        assert seen["peers"] == {(macs[other], HOSTS[other]) for other in others}
        assert seen["arp"] == {(f"10.0.1.{list(HOSTS).index(other) + 2}", macs[other]) for other in others}
    lab.stop("c-host2")
    assert tunnel(lab, "ov", "host")["peers"] == {(macs["host3"], HOSTS["host3"])}
    assert tunnel(lab, "ov", "host2") is None
    lab.start("c-host2")
    assert ("02:42:0a:00:01:05", HOSTS["host2"]) in tunnel(lab, "ov", "host3")["peers"]
    assert len(tunnel(lab, "ov", "host2")["peers"]) == 2
    assert lab["c-host2"].ping("c-host3")
    lab.disconnect("ov", "c-host3")
    assert len(tunnel(lab, "ov", "host")["peers"]) == 1
    lab.connect("ov", "c-host3")
    assert lab["c-host"].ping("c-host3")
    lab.restart("c-host3")
    assert lab["c-host"].ping("c-host3")


def test_a_container_that_ends_by_itself_is_forgotten_everywhere(lab):
    assert lab.networks["ov"].containers == {"web": "10.0.1.2", "box": "10.0.1.3"}
    assert "1 received" in lab.hosts[1].sh("docker run --rm --network ov alpine ping -c 1 web").stdout
    lab.run("job", network="ov", host="host2", command="sh -c 'read line < /dev/null; exit 3'")
    wait_until(lambda: lab["job"].status == "exited")
    assert tunnel(lab, "ov", "host")["peers"] == {("02:42:0a:00:01:03", HOSTS["host2"])}
    assert not lab["web"].sh("getent ahostsv4 job").ok


def test_commands_are_those_that_were_needed(lab):
    lines = list(lab["box"].commands)
    name = f"1-{lab.networks['ov'].id[:10]}"
    assert lines[0] == "# on host2"
    assert f"ip netns add {name}" in lines
    tunnel = f"ip link add name vxlan0 mtu 1450 netns {name} type vxlan id 4097 dstport 4789 proxy l2miss l3miss"
    assert tunnel in lines
    assert f"bridge -n {name} fdb add 02:42:0a:00:01:02 dev vxlan0 dst 203.0.113.10 self permanent" in lines
    assert f"ip -n {name} neigh add 10.0.1.2 lladdr 02:42:0a:00:01:02 dev vxlan0 nud permanent" in lines
    there = lines.index("# on host")
    assert f"bridge -n {name} fdb add 02:42:0a:00:01:03 dev vxlan0 dst 203.0.113.11 self permanent" in lines[there:]


# ── what passes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_packets_travel_in_packets_of_the_hosts(lab):
    with Wire(lab) as wire:
        assert lab["web"].ping("10.0.1.3")
    outer, inner, back, answer = wire.packets.splitlines()
    assert outer.startswith("IP 203.0.113.10.")
    assert "> 203.0.113.11.4789: VXLAN, flags [I] (0x08), vni 4097" in outer
    assert "10.0.1.2 > 10.0.1.3: ICMP echo request" in inner
    assert "> 203.0.113.10.4789: VXLAN" in back
    assert "ICMP echo reply" in answer


def test_large_packets_fit_to_the_last_byte(lab):
    assert lab["web"].sh("ping -c 1 -W 2 -M do -s 1422 10.0.1.3").ok  # 1422 + 8 + 20 = 1450
    refused = lab["web"].sh("ping -c 1 -W 1 -M do -s 1423 10.0.1.3")
    assert not refused.ok
    assert "message too long" in (refused.stdout + refused.stderr).lower()


def test_what_nobody_knows_is_called_out_to_nobody(lab):
    """No flooding: neither a question for an address that nobody has, nor a broadcast, leaves the host."""
    assert lab["web"].ping("box")
    with Wire(lab) as wire:
        assert not lab["web"].sh("ping -c 2 -W 1 10.0.1.99").ok
        lab["web"].sh("ping -b -c 1 -W 1 10.0.1.255")
        lab["web"].sh("ip neigh add 10.0.1.98 lladdr 02:42:0a:00:01:62 dev eth0; ping -c 1 -W 1 10.0.1.98")
    assert wire.packets == ""
    assert lab["web"].sh("ip neigh show 10.0.1.3").stdout.split()[4] == "02:42:0a:00:01:03"


def test_two_networks_are_apart(lab):
    lab.network("other", driver="overlay")
    lab.run("far", network="other", host="host2")
    assert not lab["web"].sh("ping -c 1 -W 1 10.0.2.2").ok
    assert lab["web"].sh("getent ahostsv4 far").returncode != 0
    lab.connect("other", "web")
    assert lab["web"].ping("far")
    assert [one["ifname"] for one in ip(lab["web"], "address")] == ["lo", "eth0", "eth1", "eth2"]


def test_names_are_known_on_every_host(lab):
    """DR-37."""
    box = lab["box"]
    assert box.http("http://www").status == 200
    assert lab["web"].ping("box")
    assert "web.ov" in box.sh("getent hosts 10.0.1.2").stdout
    lab.run("web2", image="nginx", network="ov", aliases=["www"], host="host2")
    answers = {line.split()[0] for line in box.sh("getent ahostsv4 www").stdout.splitlines()}
    assert answers == {"10.0.1.2", lab["web2"].address}
    lab.rename("web", "site")
    assert box.ping("site")
    assert not box.sh("getent ahostsv4 web").ok
    lab.stop("site")
    assert not box.sh("getent ahostsv4 site").ok


def test_ports_are_published_by_way_of_the_gateway_bridge(lab):
    """DR-31, DR-27."""
    lab.run("shop", image="nginx", network="ov", host="host2", publish="8080:80")
    assert lab.internet.http("http://203.0.113.11:8080").status == 200
    assert lab.hosts[1].sh("docker port shop").stdout.startswith("80/tcp -> 0.0.0.0:8080")
    other = lab["shop"].addresses["docker_gwbridge"]
    assert not lab["box"].sh(f"ping -c 1 -W 1 {other}").ok  # icc=false
    assert lab["box"].http("http://shop").status == 200


def test_a_bridge_network_leads_out_instead(lab):
    lab.network("mine")
    lab.connect("mine", "web")
    assert sorted(lab["web"].addresses) == ["mine", "ov"]
    assert lab["web"].ping("198.51.100.80")
    assert lab["web"].ping("box")
    lab.disconnect("mine", "web")
    assert sorted(lab["web"].addresses) == ["docker_gwbridge", "ov"]
    assert lab["web"].ping("198.51.100.80")


def test_an_internal_network_has_no_way_out(lab):
    lab.network("inner", driver="overlay", internal=True)
    lab.run("one", network="inner")
    lab.run("two", network="inner", host="host2")
    assert lab["one"].ping("two")
    assert ip(lab["one"], "route show default") == []
    assert len(ip(lab["one"], "address")) == 2


# ── the docker command ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_docker_command_knows_it_on_every_host(make_lab):
    """DR-28, DR-29, DR-39."""
    lab = make_lab(hosts=2)
    first, second = lab.hosts
    assert first.sh("docker network create -d overlay --attachable ov").ok
    assert second.sh("docker network ls -f driver=overlay --format '{{.Name}} {{.Scope}}'").stdout == "ov swarm\n"
    assert second.sh("docker run -d --name box --network ov alpine").ok
    assert first.sh("docker run -d --name web --network ov --network-alias www nginx").ok
    assert second.sh("docker exec box ping -c 1 www").ok
    seen = json.loads(second.sh("docker network inspect ov").stdout)[0]
    assert [one["Name"] for one in seen["Containers"].values()] == ["box"]
    assert seen["Options"] == {"com.docker.network.driver.overlay.vxlanid_list": "4097"}
    assert {(one["Name"], one["IP"]) for one in seen["Peers"]} == {("host", "203.0.113.10"), ("host2", "203.0.113.11")}
    assert second.sh("docker inspect box -f '{{json .NetworkSettings.Networks}}'").stdout.count('"NetworkID"') == 1
    refused = second.sh("docker network rm ov")
    assert "in use by task" in refused.stderr
    assert second.sh("docker rm -f box").ok
    refused = second.sh("docker network rm ov")
    assert "container web on host)" in refused.stderr
    assert second.sh("docker network prune -f").stdout == ""
    assert "active endpoints" in first.sh("docker network rm docker_gwbridge").stderr
    assert first.sh("docker rm -f web").ok
    assert second.sh("docker network rm ov").stdout == "ov\n"
    assert "ov" not in first.sh("docker network ls").stdout.split()


def test_a_network_that_is_not_attachable_takes_no_container(make_lab):
    """DR-29."""
    lab = make_lab(hosts=2)
    assert lab.host.sh("docker network create -d overlay closed").ok
    words = "code = PermissionDenied desc = network closed not manually attachable"
    assert words in lab.hosts[1].sh("docker run -d --network closed alpine").stderr
    assert "closed" in lab.host.sh("docker network prune -f").stdout


def test_one_host_is_no_swarm(make_lab):
    """DR-25."""
    lab = make_lab()
    before = everywhere(lab)
    with pytest.raises(RequestError, match="This node is not a swarm manager"):
        lab.network("ov", driver="overlay")
    assert everywhere(lab) == before
    assert set(lab.networks) == {"bridge", "host", "none"}


# ── what is refused, and the end ───────────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_is_refused(lab):
    lab.network("mine", host="host2")
    with pytest.raises(NameTaken, match="mine already exists"):
        lab.network("mine", driver="overlay")
    with pytest.raises(RequestError, match="Pool overlaps"):
        lab.network("new", driver="overlay", subnet="10.0.1.128/25")
    with pytest.raises(RequestError, match="IPv4 only"):
        lab.network("new", driver="overlay", ipv6=True)
    with pytest.raises(RequestError, match="does not support the option encrypted"):
        lab.network("new", driver="overlay", options={"encrypted": ""})
    with pytest.raises(RequestError, match="Address already in use"):
        lab.run("new", network="ov", host="host2", ip="10.0.1.2")
    assert "new" not in lab.networks


def test_a_kernel_without_vxlan_says_so(make_lab, monkeypatch):
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    before = everywhere(lab)
    honest = RouteSocket.send

    def send(route_socket, messages):
        for position, (_, _, body) in enumerate(messages):
            if b"vxlan\0" in body:
                before = honest(route_socket, messages[:position]) if position else []
                return [*before, Refusal(position, EOPNOTSUPP)]
        return honest(route_socket, messages)

    monkeypatch.setattr(RouteSocket, "send", send)
    with pytest.raises(KernelRefused, match=r"this kernel has no VXLAN \(module vxlan\)"):
        lab.run("web", network="ov")
    assert_same(lambda: everywhere(lab), lambda: before)
    assert not lab.containers


def test_a_number_that_is_taken_by_hand_is_refused_with_the_reason(make_lab):
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    lab.host.sh("ip link add mine type vxlan id 4097 dstport 4789", check=True)
    with pytest.raises(KernelRefused, match="has a tunnel with the number 4097 at UDP port 4789 already"):
        lab.run("web", network="ov")
    lab.run("box", network="ov", host="host2")
    lab.host.sh("ip link delete mine", check=True)
    lab.run("web", network="ov")
    assert lab["web"].ping("box")


def test_nothing_is_left_of_it(make_lab):
    lab = make_lab(hosts=2)
    lab.network("first", driver="overlay")  # docker_gwbridge comes with it, and stays
    before = everywhere(lab)
    lab.network("ov", driver="overlay")
    for turn in range(3):
        lab.run("web", image="nginx", network="ov", publish="8080:80")
        lab.run_many(["box", "bag"], network="ov", host="host2")
        assert lab["box"].http("http://web").status == 200, turn
        for name in ("box", "web", "bag"):
            lab.rm(name)
    lab.remove_network("ov", host="host2")
    assert_same(lambda: everywhere(lab), lambda: before)
    assert lab.network("ov", driver="overlay").subnet == "10.0.2.0/24"


def test_callers_on_several_hosts_agree(lab):
    before, faults = everywhere(lab), []

    def work(host, number):
        try:
            for turn in range(3):
                one = lab.run(f"c{number}-{turn}", network="ov", host=host, publish="80")
                lab.network(f"n{number}", driver="overlay")
                lab.connect(f"n{number}", one.name)
                assert one.ping("web")
                lab.restart(one.name)
                lab.disconnect(f"n{number}", one.name)
                lab.remove_network(f"n{number}")
                lab.rm(one.name)
        except BaseException as fault:  # noqa: BLE001 - told below, with the others
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(host, n)) for n, host in enumerate(["host", "host2"] * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not faults
    assert_same(lambda: everywhere(lab), lambda: before)


def test_what_was_broken_by_hand_does_not_keep_a_container(lab):
    name = f"1-{lab.networks['ov'].id[:10]}"
    lab.hosts[1].sh(f"ip -n {name} link delete vxlan0; ip netns delete {name}", check=True)
    lab.rm("web")
    lab.rm("box")
    lab.run("box", network="ov", host="host2")
    lab.run("web", network="ov")
    assert lab["web"].ping("box")


def test_the_picture_has_the_tunnel_and_each_container_in_its_host(lab):
    svg = lab.show().svg
    assert "VXLAN 4097" in svg
    assert svg.count("vxlan0") >= 2
    snapshot = lab.snapshot()
    assert {one.name: one.host for one in snapshot.places if one.kind == "container"} == {"web": "host", "box": "host2"}
    assert {one.host for one in snapshot.places if one.kind == "namespace"} == {"host", "host2"}
