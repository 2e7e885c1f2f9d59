"""What cannot be is refused in words that say what to do, and the kernel is as before: looked at from outside."""

from __future__ import annotations

import pytest
from outside import difference, state, wait_until

from netlab.errors import KernelRefused, NameTaken, NetlabError, NotFound, RequestError

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def world():
    """A lab with something of everything, as it must be after each refusal."""
    from netlab import Lab  # noqa: PLC0415

    with Lab() as lab:
        lab.run("web", image="nginx")
        lab.run("gone")
        lab.stop("gone")
        lab.namespace("red")
        lab.host.add_veth("veth-red", "eth0", peer_place=lab["red"])
        lab["red"].link("eth0").up().add_address("10.0.0.2/24")
        lab.host.link("veth-red").up()
        lab.host.add_bridge("br0")
        lab.host.nft("add table ip lesson")
        yield lab


@pytest.fixture
def refuse(world):
    """Ask for something, and see that it is refused with these words and that nothing has changed."""

    def check(ask, error, words):
        before, places, history = state(world), set(world.places), list(world.history)
        with pytest.raises(error, match=words) as refused:
            ask(world)
        assert isinstance(refused.value, NetlabError)
        assert difference(state(world), before) == []
        assert set(world.places) == places
        assert world.history == history
        assert refused.value._render_traceback_() == [f"{type(refused.value).__name__}: {refused.value}"]

    return check


BAD_CONTAINERS = [
    "",
    " ",
    "a b",
    "a/b",
    "../x",
    "ウェブ",
    "x" * 129,
    None,
    7,
    "-a",
    ".a",
    "a",
    "a\n",
    "a\0b",
    "$(reboot)",
    b"web",
]
BAD_NAMESPACES = ["", "a b", "a/b", "..", ".", "赤", "x" * 129, None, 7, "-a", "a\n", "a;b"]
BAD_INTERFACES = ["", " ", "a b", "a/b", "a:b", "x" * 16, "あいうえおか", None, 7, ".", "..", "a\n"]


@pytest.mark.parametrize("name", BAD_CONTAINERS, ids=repr)
def test_container_names(refuse, name):
    refuse(lambda lab: lab.run(name), RequestError, "Invalid container name.*For example: web")


@pytest.mark.parametrize("name", BAD_NAMESPACES, ids=repr)
def test_namespace_names(refuse, name):
    refuse(lambda lab: lab.namespace(name), RequestError, "Invalid namespace name.*For example: red")


@pytest.mark.parametrize("name", BAD_INTERFACES, ids=repr)
def test_interface_names(refuse, name):
    words = "Invalid interface name.*For example: veth-red"
    refuse(lambda lab: lab.host.add_bridge(name), RequestError, words)
    refuse(lambda lab: lab.host.add_veth(name, "peer"), RequestError, words)
    refuse(lambda lab: lab.host.add_veth("end", name), RequestError, words)
    refuse(lambda lab: lab.host.link("br0").rename(name), RequestError, words)
    refuse(lambda lab: lab.host.link("veth-red").attach(name), RequestError, words)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10.0.0.1",
        "10.0.0.1/33",
        "10.0.0/24",
        "10.0.0.256/24",
        "red",
        "10.0.0.1/",
        "/24",
        None,
        10,
        "10.0.0.1/24/24",
        "::1",
    ],
    ids=repr,
)
def test_addresses(refuse, address):
    words = r"not an address with its subnet's length. Write it as in 10\.0\.0\.1/24"
    refuse(lambda lab: lab["red"].link("eth0").add_address(address), RequestError, words)
    refuse(lambda lab: lab["red"].link("eth0").remove_address(address), RequestError, words)


CASES = [
    (lambda lab: lab.run("web"), NameTaken, r"already in use.*lab\.rm\('web'\)"),
    (lambda lab: lab.run("gone"), NameTaken, r"already in use.*lab\.rm\('gone'\)"),
    (lambda lab: lab.run("red"), NameTaken, "place 'red' already"),
    (lambda lab: lab.run("host"), NameTaken, "place 'host' already"),
    (lambda lab: lab.run("internet"), NameTaken, "'internet' already"),
    (lambda lab: lab.namespace("red"), NameTaken, "place 'red' already"),
    (lambda lab: lab.namespace("web"), NameTaken, "'web'"),
    (lambda lab: lab.run("x1", image="windows"), NotFound, "no image 'windows'.*nginx"),
    (lambda lab: lab.run("x1", image=None), NotFound, "no image None"),
    (lambda lab: lab.run("x1", hostname="a b"), RequestError, "Invalid"),
    (lambda lab: lab["nowhere"], NotFound, "no place 'nowhere'.*There are: host"),
    (lambda lab: lab["gone"].sh("true"), NotFound, "gone"),
    (lambda lab: lab.rm("nobody"), NotFound, "no container 'nobody'.*web"),
    (lambda lab: lab.stop("red"), NotFound, "no container 'red'"),
    (lambda lab: lab.remove_namespace("web"), RequestError, r"lab\.rm\('web'\)"),
    (lambda lab: lab.remove_namespace("nowhere"), NotFound, "nowhere"),
    (lambda lab: lab.host.add_bridge("br0"), KernelRefused, "already.*another name"),
    (lambda lab: lab.host.add_veth("br0", "b"), KernelRefused, "already"),
    (lambda lab: lab.host.add_veth("a", "br0"), KernelRefused, "already"),
    (lambda lab: lab.host.add_veth("a", "a"), RequestError, "two names"),
    (lambda lab: lab.host.add_veth("a", "eth0", peer_place=lab["red"]), KernelRefused, "already"),
    (lambda lab: lab.host.link("nosuch"), NotFound, "no interface 'nosuch' in host.*There are: lo"),
    (lambda lab: lab.host.link("br0").attach("br0"), RequestError, "into itself"),
    (lambda lab: lab.host.link("veth-red").attach("nosuch"), NetlabError, "nosuch"),
    (lambda lab: lab.host.link("veth-red").attach("eth0"), KernelRefused, "refused"),
    (lambda lab: lab.host.link("br0").attach("docker0"), KernelRefused, "bridge cannot be plugged"),
    (lambda lab: lab.host.link("veth-red").move(lab.host), RequestError, "in host already"),
    (lambda lab: lab.host.link("veth-red").move("red"), RequestError, "not a place"),
    (lambda lab: lab.host.link("veth-red").move(lab.containers["gone"]), NotFound, "gone"),
    (lambda lab: lab.host.link("lo").move(lab["red"]), KernelRefused, "refused"),
    (lambda lab: lab["red"].link("eth0").add_address("10.0.0.2/24"), KernelRefused, "has the address"),
    (lambda lab: lab["red"].link("eth0").remove_address("10.0.0.3/24"), KernelRefused, "does not have the address"),
    (lambda lab: lab["red"].link("eth0").set_mtu(1), RequestError, "68 to 65535"),
    (lambda lab: lab["red"].link("eth0").set_mtu("big"), RequestError, "packet size"),
    (lambda lab: lab["red"].link("eth0").set_mac("nonsense"), RequestError, "02:42"),
    (lambda lab: lab["red"].link("eth0").set_mac("ff:ff:ff:ff:ff:ff"), KernelRefused, "refused"),
    (lambda lab: lab["red"].add_route("default", via="192.0.2.1"), KernelRefused, "how to reach the gateway 192.0.2.1"),
    (lambda lab: lab["red"].add_route("default", via="here"), RequestError, "not an IP address"),
    (lambda lab: lab["red"].add_route("default"), RequestError, "needs a way"),
    (lambda lab: lab["red"].add_route("10.0.0.1/24", via="10.0.0.1"), RequestError, r"Did you mean 10\.0\.0\.0/24\?"),
    (lambda lab: lab["red"].add_route("nowhere", via="10.0.0.1"), RequestError, "not a destination"),
    (lambda lab: lab["red"].add_route("192.0.2.0/24", dev="nosuch"), NetlabError, "nosuch"),
    (lambda lab: lab["red"].add_route("10.0.0.0/24", dev="eth0"), KernelRefused, "already"),
    (lambda lab: lab["red"].remove_route("192.0.2.0/24"), KernelRefused, "no such route"),
    (lambda lab: lab.host.sysctl("kernel.hostname", "x"), RequestError, "not a network parameter"),
    (lambda lab: lab.host.sysctl("net.ipv4/../../kernel/hostname", "x"), RequestError, "not a network parameter"),
    (lambda lab: lab.host.sysctl("net.ipv4.nosuch", 1), NotFound, "no parameter"),
    (lambda lab: lab.host.sysctl("net.ipv4.ip_forward", "maybe"), NetlabError, "refused"),
    (lambda lab: lab.host.sysctl(None), RequestError, "not a network parameter"),
    (lambda lab: lab.host.nft("add tabel ip x"), KernelRefused, "syntax error"),
    (lambda lab: lab.host.nft("add table ip x\nadd rule ip nosuch c accept"), KernelRefused, "No such file"),
    (lambda lab: lab.host.nft(""), RequestError, "no rules"),
    (lambda lab: lab.host.sh(""), RequestError, "no command"),
    (lambda lab: lab.host.sh(None), RequestError, "no command"),
    (lambda lab: lab.host.sh("exit 3", check=True), NetlabError, "ended with status 3"),
    (lambda lab: lab.host.sh("nosuchprogram", check=True), NetlabError, "not found"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_refused(refuse, number):
    refuse(*CASES[number])


def test_a_place_that_is_gone_says_so_and_what_is_there(bare):
    red = bare.namespace("red")
    left, right = bare.host.add_veth("left", "right", peer_place=red)
    bare.host.sh("ip netns delete red", check=True)
    bare.world.refresh()
    for use in (
        lambda: red.sh("true"),
        lambda: red.interfaces,
        lambda: red.inode,
        right.up,
        lambda: left.move(red),
        lambda: red.ping("127.0.0.1"),
        red.shell,
        lambda: bare.host.add_veth("a", "b", peer_place=red),
    ):
        with pytest.raises(NotFound, match=r"no place 'red'.*There are: host"):
            use()
    wait_until(lambda: "left" not in bare.host.sh("ip link").stdout, what="the other end goes with its namespace")
    with pytest.raises(NetlabError, match="left"):
        left.up()


def test_a_command_that_takes_too_long_is_ended(lab):
    result = lab.host.sh("echo before; sleep 60", timeout=0.3)
    assert result.timed_out
    assert (result.ok, result.stdout) == (False, "before\n")
    assert "timeout" in repr(result)
    assert "sleep 60" not in lab.host.sh("ps -eo args=").stdout


def test_large_and_binary_output_comes_whole(lab):
    assert len(lab.host.sh("head -c 3000000 /dev/zero | tr '\\0' x").stdout) == 3_000_000
    assert lab.host.sh("printf 'a\\377b'").stdout == "a\ufffdb"
    assert lab.host.sh("printf 'ネット' | cat").stdout == "ネット"
    assert lab.host.sh("cat").stdout == "", "standard input is empty"
    assert lab.host.sh(": " + "x" * 100_000).ok
