"""The data of the Docker Engine API, made from records without a lab."""

from __future__ import annotations

import json

import pytest

from netlab.docker import api_shapes
from netlab.docker.records import Attachment, NetworkRecord, Published, Specification
from netlab.drivers.bridge import Endpoint
from netlab.gotemplate import render
from netlab.ipam import AddressPool
from netlab.ipam_config import Config
from netlab.places.container import Container
from netlab.publish import Claim, parse


class _Sandbox:
    alive = True


class _World:
    sandbox = _Sandbox()


class _Home:
    name = "lab"
    world = _World()


@pytest.fixture
def network():
    config = Config("172.18.0.0/16")
    record = NetworkRecord("a" * 64, "my-network", "bridge", [config], [AddressPool(config, "my-network")], created=1.5)
    record.endpoints["c" * 64] = _endpoint()
    return record


@pytest.fixture
def web(network):
    (binding,) = parse("8080:80")
    asked = Specification("nginx", mode="my-network", publish=(binding,), labels={"a": "b"}, environment={"X": "1"})
    one = Container(_Home(), "web", "c" * 64, asked)
    one.attachments["my-network"] = Attachment("my-network", "172.18.0.2", aliases=("www",), network_id=network.id)
    one.endpoints["my-network"] = _endpoint()
    one.published.append(Published(binding, Claim(("0.0.0.0", "::"), "tcp", 8080), "docker-proxy-1"))
    one.created, one.started, one.running = 100.0, 101.0, True
    return one


def _endpoint():
    return Endpoint("web", "eth0", "veth1234567", 5, ("172.18.0.2/16",), "02:42:ac:12:00:02", ("www",))


def test_a_network(network):
    shape = api_shapes.network(network)
    assert shape["Created"] == "1970-01-01T00:00:01.500000000Z"
    assert shape["IPAM"]["Config"] == [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]
    assert [one["IPv4Address"] for one in shape["Containers"].values()] == ["172.18.0.2/16"]
    assert list(shape)[:5] == ["Name", "Id", "Created", "Scope", "Driver"]


def test_a_container_on_a_network(web, network):
    shape = api_shapes.container(web, {network.name: network}, pid=7)
    settings = shape["NetworkSettings"]
    assert shape["State"]["Pid"] == 7
    assert (shape["Path"], shape["Args"]) == ("nginx", ["-g", "daemon off;"])
    assert settings["IPAddress"] == ""  # filled for the default bridge only
    assert settings["Networks"]["my-network"]["IPAMConfig"] == {"IPv4Address": "172.18.0.2"}
    assert settings["Networks"]["my-network"]["DNSNames"] == ["web", "www", "c" * 12]
    assert settings["Ports"]["80/tcp"][1] == {"HostIp": "::", "HostPort": "8080"}
    assert shape["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    assert (shape["Config"]["Labels"], shape["Config"]["Env"]) == ({"a": "b"}, ["X=1"])


def test_the_templates_of_the_course(web, network):
    shape = api_shapes.container(web, {network.name: network})
    assert render("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", shape) == "172.18.0.2"
    assert render('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', shape) == "8080"
    assert json.loads(render("{{json .IPAM.Config}}", api_shapes.network(network)))[0]["Gateway"] == "172.18.0.1"


def test_a_stopped_container_keeps_its_networks_and_has_no_addresses(web, network):
    web.running, web.finished, web.exit_code = False, 200.0, 137
    web.endpoints.clear()
    web.published.clear()
    shape = api_shapes.container(web, {network.name: network}, pid=7)
    assert (shape["State"]["Status"], shape["State"]["Pid"], shape["State"]["ExitCode"]) == ("exited", 0, 137)
    assert shape["NetworkSettings"]["Ports"] == {}
    assert shape["NetworkSettings"]["Networks"]["my-network"]["IPAddress"] == ""


def test_a_line_of_the_list(web, network):
    line = api_shapes.container_summary(web, {network.name: network}, now=163.0)
    assert line["Status"] == "Up About a minute"
    assert line["Command"] == "nginx -g daemon off;"
    assert line["Ports"] == [
        {"IP": "0.0.0.0", "PublicPort": 8080, "PrivatePort": 80, "Type": "tcp"},
        {"IP": "::", "PublicPort": 8080, "PrivatePort": 80, "Type": "tcp"},
    ]
