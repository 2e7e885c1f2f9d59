"""Hand-made snapshots, as the kernel would report them."""

from __future__ import annotations

from dataclasses import replace

from netlab.model import Address, Chain, Interface, PlaceState, Route, Rule, Snapshot, Socket

MASQUERADE = 'ip saddr 172.17.0.0/16 oifname != "docker0" counter packets 0 bytes 0 masquerade'
PUBLISHED = 'iifname != "docker0" tcp dport 8080 counter packets 0 bytes 0 dnat to 172.17.0.2:80'


def address(text, scope="global"):
    where, length = text.split("/")
    return Address(where, int(length), 6 if ":" in where else 4, scope)


LO = Interface(
    name="lo",
    index=1,
    kind="loopback",
    mac="00:00:00:00:00:00",
    mtu=65536,
    up=True,
    carrier=True,
    state="unknown",
    addresses=(address("127.0.0.1/8", "host"), address("::1/128", "host")),
)
LO_DOWN = replace(LO, up=False, carrier=False, state="down", addresses=())


def interface(name, index, kind="veth", *, up=True, carrier=True, addresses=(), **more):
    works = up and carrier
    return Interface(
        name=name,
        index=index,
        kind=kind,
        mac=f"02:42:00:00:{index // 256:02x}:{index % 256:02x}",
        mtu=1500,
        up=up,
        carrier=carrier,
        state="up" if works else "down",
        addresses=(*map(address, addresses), address("fe80::42/64", "link")),
        port_state="forwarding" if more.get("master") else None,
        **more,
    )


class World:
    """A lab to be: places and cables are added, then `snapshot` freezes it."""

    def __init__(self, hosts=("host",), *, internet=True):
        self.places = {}
        self.networks = {}
        self._index = 100
        if internet:
            self._add_internet()
        for number, host in enumerate(hosts):
            self.add(host, "host", [LO], ip_forward=True, routes=(Route("default", "203.0.113.1", "eth0"),))
            if internet:
                self.join("router", f"to-{host}", host, "eth0", master="lan", addresses=[f"203.0.113.{10 + number}/24"])

    def _add_internet(self):
        bridges = [interface("lan", 2, "bridge", addresses=["203.0.113.1/24"])]
        bridges += [interface("net", 3, "bridge", addresses=["198.51.100.1/24"])]
        self.add("router", "router", [LO, *bridges])
        self.add("www", "server", [LO], label="www.example.com")
        self.add("dns", "server", [LO])
        self.add("client", "client", [LO])
        self.join("router", "to-www", "www", "eth0", master="net", addresses=["198.51.100.80/24"])
        self.join("router", "to-dns", "dns", "eth0", master="net", addresses=["198.51.100.53/24"])
        self.join("router", "to-client", "client", "eth0", master="lan", addresses=["203.0.113.50/24"])

    def next_index(self):
        self._index += 1
        return self._index

    def add(self, name, kind, interfaces=(), **more):
        self.places[name] = PlaceState(name, kind, 4026530000 + len(self.places), interfaces=tuple(interfaces), **more)

    def change(self, name, **changes):
        self.places[name] = replace(self.places[name], **changes)

    def put(self, place, *interfaces):
        self.change(place, interfaces=self.places[place].interfaces + interfaces)

    def join(self, place, name, peer_place, peer_name, *, master=None, addresses=(), near=(), up=True, near_up=True):
        """Join two places by a veth pair; the near end may be a port of a bridge."""
        first, second = self.next_index(), self.next_index()
        signal = up and near_up
        far_of = {"peer_index": second, "peer_place": peer_place, "peer_name": peer_name}
        near_of = {"peer_index": first, "peer_place": place, "peer_name": name}
        self.put(place, interface(name, first, up=near_up, carrier=signal, addresses=near, master=master, **far_of))
        self.put(peer_place, interface(peer_name, second, up=up, carrier=signal, addresses=addresses, **near_of))

    def bridge(self, place, name, addresses=(), network=None, **more):
        self.put(place, interface(name, self.next_index(), "bridge", addresses=addresses, **more))
        if network:
            self.networks[place, name] = network

    def run(self, name, where, *, bridge="docker0", host="host", label="", up=True, listens=(), kind="container"):
        sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in listens)
        self.add(name, kind, [LO], host=host, label=label, sockets=sockets)
        veth = f"veth{(self._index * 2654435761) % 0xFFFFFFF:07x}"
        self.join(host, veth, name, "eth0", master=bridge, addresses=[where], up=up)

    def rules(self, host, *texts):
        rules = tuple(Rule("ip", "nat", "all", number, text) for number, text in enumerate(texts))
        self.change(host, chains=(Chain("ip", "nat", "all", "nat", "postrouting", 100, "accept", rules),))

    def snapshot(self):
        return Snapshot("lab", tuple(self.places.values()), self.networks)


def docker_world(containers=0):
    world = World()
    world.bridge("host", "docker0", ["172.17.0.1/16"], "bridge")
    world.rules("host", MASQUERADE)
    for number in range(containers):
        world.run(f"c{number + 1}", f"172.17.0.{number + 2}/16", label="alpine")
    return world


def chapter_one():
    world = docker_world()
    world.rules("host", MASQUERADE, PUBLISHED)
    world.run("web", "172.17.0.2/16", label="nginx", listens=[80])
    world.run("app", "172.17.0.3/16", label="alpine")
    return world.snapshot()


def two_networks():
    """Two networks, one container on both, one with its link down."""
    world = docker_world()
    world.bridge("host", "br-3f2a", ["172.18.0.1/16", "fd00:18::1/64"], "my-network")
    world.run("web", "172.17.0.2/16", label="nginx", listens=[80])
    world.run("app", "172.17.0.3/16", label="myapp")
    world.run("db", "172.18.0.2/16", bridge="br-3f2a")
    world.run("api", "172.18.0.3/16", bridge="br-3f2a", up=False)
    world.join("host", "veth77aa00b", "app", "eth1", master="br-3f2a", addresses=["172.18.0.4/16"])
    return world.snapshot()


def two_namespaces():
    """Two bare namespaces joined by a veth pair (chapter 03)."""
    world = World(internet=False)
    world.add("red", "namespace", [LO_DOWN], host="host")
    world.add("blue", "namespace", [LO_DOWN], host="host")
    world.join("red", "veth-red", "blue", "veth-blue", near=["10.0.0.1/24"], addresses=["10.0.0.2/24"])
    return world.snapshot()


def lone_namespace():
    """A namespace right after its creation (chapter 02)."""
    world = World()
    world.add("red", "namespace", [LO_DOWN], host="host")
    return world.snapshot()


def by_hand():
    """A bridge without an address, a half-built cable, a cable inside one namespace, an unknown other end."""
    world = World()
    world.bridge("host", "br0")
    world.run("red", "10.0.0.2/24", bridge="br0", kind="namespace")
    world.join("host", "left", "host", "right", up=False, near_up=False)
    world.add("blue", "namespace", [LO], host="host")
    world.join("blue", "a", "blue", "b", near=["10.0.0.9/24"])
    world.add("lost", "namespace", [LO, interface("eth0", 9, peer_index=77, addresses=["10.9.9.9/24"])], host="host")
    return world.snapshot()


def switch_namespace():
    """A bridge inside a namespace of its own, with a way out to the host."""
    world = World(internet=False)
    world.add("switch", "namespace", [LO], host="host")
    world.bridge("switch", "br0", ["10.0.0.1/24"])
    for number, name in enumerate(("red", "blue")):
        world.add(name, "namespace", [LO], host="host")
        world.join("switch", f"to-{name}", name, "eth0", master="br0", addresses=[f"10.0.0.{number + 2}/24"])
    world.join("host", "down", "switch", "wan", near=["10.1.0.1/24"], addresses=["10.1.0.2/24"])
    return world.snapshot()


def two_hosts():
    """An overlay network: VXLAN between two hosts."""
    world = World(hosts=("host", "host2"))
    for number, host in enumerate(("host", "host2")):
        world.bridge(host, "br-overlay", [], "my-overlay")
        details = (("id", "4097"), ("port", "4789"), ("remote", f"203.0.113.{11 - number}"))
        world.put(host, interface("vxlan1", world.next_index(), "vxlan", master="br-overlay", details=details))
        world.run(f"web{number + 1}", f"10.0.9.{number + 2}/24", bridge="br-overlay", host=host, listens=[80])
    return world.snapshot()


def drivers():
    """Containers of the drivers host, none and macvlan (chapter 08)."""
    world = docker_world()
    host = world.places["host"]
    sockets = (Socket("tcp", "0.0.0.0", 80),)
    world.places["fast"] = replace(host, name="fast", kind="container", host="host", label="nginx", sockets=sockets)
    world.add("batch", "container", [LO], host="host", label="myapp")
    parent = host.interface("eth0").index
    details = (("mode", "bridge"),)
    child = interface("eth0", 300, "macvlan", addresses=["203.0.113.77/24"], peer_index=parent, details=details)
    world.add("mac", "container", [LO, child], host="host")
    return world.snapshot()


def japanese():
    world = docker_world()
    world.bridge("host", "br-9c", ["172.18.0.1/16"], "社内ネットワーク")
    world.run("ウェブサーバー", "172.17.0.2/16", label="nginx", listens=[80, 443])
    world.run("データベース", "172.18.0.2/16", bridge="br-9c", up=False)
    return world.snapshot()


def hostile():
    """Names that a student could type to break a picture."""
    world = World()
    world.bridge("host", 'br<&">', ["172.17.0.1/16"], 'n"\\<b>x</b>')
    world.run('a"b\\', "172.17.0.2/16", bridge='br<&">', label="</TD>&amp;")
    world.run("tab\t\x01\udc80", "172.17.0.3/16", bridge='br<&">', label="]]>")
    world.run("\\N\\G", "172.17.0.4/16", bridge='br<&">')
    return world.snapshot()


SAMPLES = {
    "empty": lambda: docker_world().snapshot(),
    "chapter_one": chapter_one,
    "two_networks": two_networks,
    "two_namespaces": two_namespaces,
    "lone_namespace": lone_namespace,
    "by_hand": by_hand,
    "switch_namespace": switch_namespace,
    "two_hosts": two_hosts,
    "drivers": drivers,
    "japanese": japanese,
    "hostile": hostile,
    "thirty": lambda: docker_world(30).snapshot(),
}
