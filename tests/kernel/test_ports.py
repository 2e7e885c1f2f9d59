"""Published ports: from the host, from outside, from other containers. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import pytest
from outside import assert_same, nft, state, wait_until

from netlab.errors import RequestError

pytestmark = pytest.mark.kernel

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
while True:
    data, sender = s.recvfrom(99)
    s.sendto(sender[0].encode(), sender)
"""
ASK = """python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b'x', ('{}', 8053))
print(s.recv(99).decode())"
"""


def code(place, url, *, seconds=2):
    """Return the status of a page, or curl's exit status: 7 is refused, 28 no answer in time, 56 reset."""
    said = place.sh(f"curl -gsS -o /dev/null -w '%{{http_code}}' --max-time {seconds} {url}")
    if "Connection reset by peer" in said.stderr:
        return -56  # also where it came so early that curl calls it no connection
    return int(said.stdout) if said.ok else -said.returncode


def visitor(place, url):
    """Return the address that the container saw, which its page tells."""
    return place.http(url).body.split("for a visitor from ")[1].partition("<")[0]


def dnats(place):
    return [
        part["dnat"]
        for one in nft(place)
        if "rule" in one and one["rule"]["table"] == "docker-bridges"
        for part in one["rule"]["expr"]
        if "dnat" in part
    ]


def proxies(lab):
    return lab.host.sh("ps -eo args=").stdout.count("docker-proxy: ")


@pytest.mark.parametrize("network", ["bridge", "c-n1"])
def test_a_published_port_answers_everywhere_and_sees_whom_the_engine_shows(lab, network):
    """PM-01, PM-02, PM-36, PM-37, PM-38, PM-39, PM-40, PM-41, PM-42, IS-06."""
    lab.network("c-n1")
    web = lab.run("web", image="nginx", network=network, publish="8080:80")
    near, far = lab.run("near", network=network), lab.run("far", network="c-n1" if network == "bridge" else "bridge")
    gateway = lab.networks[network].gateway
    assert web.ports == {"80/tcp": ["0.0.0.0:8080", "[::]:8080"]}
    assert dnats(lab.host) == [{"addr": web.address, "port": 80}]
    assert visitor(lab.internet, "http://203.0.113.10:8080") == "203.0.113.50"
    assert visitor(lab.host, "http://203.0.113.10:8080") == "203.0.113.10"
    for url in ("http://127.0.0.1:8080", "http://[::1]:8080", f"http://{gateway}:8080"):
        assert visitor(lab.host, url) == gateway
    for place in (near, web):
        assert visitor(place, "http://203.0.113.10:8080") == gateway
    for address in ("203.0.113.10", gateway, lab.networks[far.asked.mode].gateway):
        assert code(far, f"http://{address}:8080") == 200
    assert code(web, "http://127.0.0.1:8080") == -7


def test_a_port_on_loopback_is_for_the_host_alone(lab):
    """PM-06, PM-08, PM-09, PM-27."""
    lab.run("web", image="nginx", publish="127.0.0.1:8080:80")
    lab.run("twin", image="nginx", publish="127.0.0.2:8080:80")
    lan = lab.run("lan", image="nginx", publish="203.0.113.10:8080:80")
    six = lab.run("six", image="nginx", publish="[::]:8081:80")
    assert lan.ports == {"80/tcp": ["203.0.113.10:8080"]}
    assert six.ports == {"80/tcp": ["[::]:8081"]}
    assert code(lab.host, "http://127.0.0.1:8080") == 200
    assert code(lab.host, "http://[::1]:8081") == 200
    assert code(lab.host, "http://127.0.0.1:8081") == -7
    assert code(lab.internet, "http://203.0.113.10:8080") == 200
    assert code(lab.host, "http://172.17.0.1:8080") == -7


def test_ephemeral_ports_go_forward(lab):
    """PM-03, PM-04, PM-05, PM-07, PM-20, BR-09."""
    first = lab.run("first", image="nginx", publish="80")
    assert first.ports == {"80/tcp": ["0.0.0.0:32768", "[::]:32768"]}
    lab.run("second", image="nginx", publish="127.0.0.1::80")
    lab.rm("first")
    assert lab.run("third", image="nginx", publish=":80").ports["80/tcp"][0] == "0.0.0.0:32770"
    assert lab.restart("third").ports["80/tcp"][0] == "0.0.0.0:32771"
    assert code(lab.host, "http://127.0.0.1:32771") == 200


def test_ranges(lab):
    """PM-11, PM-12, PM-13, PM-15, PM-26."""
    web = lab.run("web", image="nginx", publish="8000-8002:80-82")
    assert [ports[0] for ports in web.ports.values()] == ["0.0.0.0:8000", "0.0.0.0:8001", "0.0.0.0:8002"]
    other = lab.run("other", image="nginx", publish=["8000-8005:80", "9000:80"])
    assert other.ports["80/tcp"][::2] == ["0.0.0.0:8003", "0.0.0.0:9000"]
    with pytest.raises(RequestError, match="port is already allocated"):
        lab.run("last", publish="8003-8004:80-81")
    with pytest.raises(
        RequestError, match="invalid ranges specified for container and host Ports: 80-82 and 8000-8001"
    ):
        lab.run("last", publish="8000-8001:80-82")


@pytest.mark.parametrize(
    ("publish", "words"),
    [
        ("8080:80", r"driver failed .* on endpoint late .*Bind for 0\.0\.0\.0:8080 failed: port is already allocated"),
        ("127.0.0.1:8080:80", "port is already allocated"),
        (["8082:80", "8082:81"], "port is already allocated"),
        ("8090:80", r"failed to bind host port 0\.0\.0\.0:8090/tcp: address already in use"),
        ("10.9.9.9:8091:80", r"failed to bind host port 10\.9\.9\.9:8091/tcp: cannot assign requested address"),
    ],
)
def test_a_port_that_is_taken_is_refused_and_nothing_stays(lab, publish, words):
    """PM-10, PM-21, PM-23, PM-24, PM-25, PM-28."""
    lab.run("web", image="nginx", publish="8080:80")
    lab.host.sh("python3 -m http.server 8090 >/dev/null 2>&1 &")
    wait_until(lambda: code(lab.host, "http://127.0.0.1:8090") == 200)
    before, running = state(lab), proxies(lab)
    with pytest.raises(RequestError, match=words):
        lab.run("late", image="nginx", publish=publish)
    assert_same(lambda: state(lab), lambda: before)
    assert proxies(lab) == running
    assert list(lab.containers) == ["web"]


def test_a_port_leaves_with_its_container_and_comes_back(lab):
    """PM-30, PM-31, PM-33, LC-01."""
    before = state(lab)
    web = lab.run("web", image="nginx", publish=["8080:80", "8053:53/udp"])
    lab.stop("web")
    assert web.ports == {}
    assert_same(lambda: state(lab), lambda: before)
    assert code(lab.host, "http://127.0.0.1:8080") == -7
    assert proxies(lab) == 0
    lab.run("other", image="nginx", publish="8080:80")
    with pytest.raises(RequestError, match="port is already allocated"):
        lab.start("web")
    lab.rm("other")
    lab.start("web")
    assert code(lab.internet, "http://203.0.113.10:8080") == 200


def test_nobody_listens_inside(lab):
    """PM-34, PM-35."""
    lab.run("box", publish="8080:80")
    assert lab.host.http("http://127.0.0.1:8080").outcome == "cut off"
    assert lab.host.http("http://203.0.113.10:8080").outcome == "refused"
    assert lab.internet.http("http://203.0.113.10:8080").outcome == "refused"


def test_all_exposed_ports_may_be_published(lab):
    """PM-44, PM-45."""
    assert lab.run("quiet", image="nginx", expose="81").ports == {}
    loud = lab.run("loud", image="nginx", expose=["81/udp"], publish_all=True)
    assert {key: len(ports) for key, ports in loud.ports.items()} == {"80/tcp": 2, "81/udp": 2}
    assert code(lab.internet, f"http://203.0.113.10:{loud.ports['80/tcp'][0].rpartition(':')[2]}") == 200


def test_ports_follow_the_network_of_the_default_route(lab):
    """PM-50, PM-51, PM-52, PM-53."""
    lab.network("inner", internal=True)
    for name in ("c-n1", "c-n2"):
        lab.network(name)
    web = lab.run("web", image="nginx", network="inner", publish=["9000:80", "81"])
    assert web.ports == {}
    assert code(lab.host, "http://127.0.0.1:9000") == -7
    lab.connect("c-n2", "web")
    assert code(lab.internet, "http://203.0.113.10:9000") == 200
    first = web.ports
    lab.connect("c-n1", "web")
    assert {one["addr"] for one in dnats(lab.host)} == {web.addresses["c-n1"]}
    assert (web.ports["80/tcp"], web.ports["81/tcp"] != first["81/tcp"]) == (first["80/tcp"], True)
    assert code(lab.internet, "http://203.0.113.10:9000") == 200
    for name in ("c-n1", "c-n2"):
        lab.disconnect(name, "web")
    assert web.ports == {}
    assert dnats(lab.host) == []


def test_udp_is_carried_as_well(lab):
    """PM-16, PM-17."""
    lab.run("echo", publish=["8053:53/udp", "8053:53/tcp"], command=["python3", "-c", ECHO])
    wait_until(lambda: lab["echo"].sockets)
    assert lab.internet.sh(ASK.format("203.0.113.10")).stdout == "203.0.113.50\n"
    assert lab.host.sh(ASK.format("203.0.113.10")).stdout == "203.0.113.10\n"
    assert lab.host.sh(ASK.format("127.0.0.1")).stdout == "172.17.0.1\n"


def test_udp_flows_are_forgotten_with_the_container(lab):
    """PM-55: the next container at that address does not get what was meant for this one."""
    lab.run("one", publish="5353:5353/udp")
    lab.internet.sh("echo hello | nc -u -w 1 203.0.113.10 5353")
    assert "dport=5353" in lab.host.sh("conntrack -L -p udp").stdout
    lab.rm("one")
    assert "dport=5353" not in lab.host.sh("conntrack -L -p udp").stdout


def test_ports_are_discarded_where_there_is_nothing_to_publish(lab):
    """PM-46, PM-47, PM-48, PM-49."""
    assert lab.run("alone", image="nginx", network="none", publish="8080:80").ports == {}
    assert lab.run("open", image="alpine", network="host", publish="8080:80").ports == {}
    with pytest.raises(RequestError, match="conflicting options: port publishing and the container type network mode"):
        lab.run("guest", network="container:alone", publish="8080:80")
    lab.network("local", options={"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"})
    assert lab.run("web", image="nginx", network="local", publish="8080:80").ports == {"80/tcp": ["127.0.0.1:8080"]}
