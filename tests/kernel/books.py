"""The engine's books against the kernel: what must be there if the records are true, and what is there, in the same words.

`expected(lab, …)` writes down all that a lab's records imply, line by line: links, addresses, routes, every rule, listening
sockets, processes, answers of 127.0.0.11 and addresses in use. `seen(view)` writes down what `lookout` saw. Two sets of
lines that differ are a fault, in one or the other direction. The rules are written here once more, from the catalogue and
not from `netlab.drivers.rules`, so that a rule which changes must be changed twice.
"""

from __future__ import annotations

import ipaddress
import sys
from collections import Counter

TITLES = {"nginx": "nginx: web server on port 80 (netlab)", "alpine": "alpine: idle (netlab) infinity"}
RESOLVER = f"{sys.executable} -m netlab.servers.resolver"
NAME_SERVER = "-m netlab.servers.dns"
IDLE = ["netlab: agent", "host: idle (netlab) infinity", "dns: name server (netlab)"]  # a lab without containers
IDLE += [*(f"{name} (netlab) infinity" for name in ("router", "client")), "www.example.com: web server (netlab)"]
BRIDGES = "docker-bridges"
OWN = ("lo", "eth0", "docker0")  # interfaces of the host from the beginning


# ── what must be there ─────────────────────────────────────────────────────────────────────────────────────────────


def expected(lab, view: dict, joined: dict) -> set[str]:
    """Return what the records of a lab's engine imply.

    `joined` is kept from one time to the next: containers that joined another one stay in its namespace when it has gone.
    """
    engine = lab.engine
    records, running = engine.networks.records, [one for one in engine.containers.values() if one.running]
    lines = set(_host(records.values(), engine.networks._prepared))
    homes = _homes(running, joined)
    processes = [*IDLE, *([RESOLVER] if engine.names._control is not None else [])]
    for container in running:
        lines |= set(_container(container, engine, view, homes))
        processes.append(" ".join(container.asked.command) or TITLES[container.image])
        for one in container.published:
            processes.append(_proxy(container, records, one))
            lines |= {f"host: listens {one.claim.protocol} {at} {one.claim.port}" for at in one.claim.addresses}
        lines |= set(_port_rules(container, records))
    lines |= _counted("process", processes)
    for record in records.values():
        lines |= set(_pools(record))
    taken = {(kind, at, port) for (at, kind), ports in engine._ports._allocator._taken.items() for port in ports}
    claims = [one.claim for container in running for one in container.published]
    promised = {(one.protocol, at, one.port) for one in claims for at in one.addresses}
    lines |= {f"a port is taken and not published: {one}" for one in taken - promised}
    lines |= {f"a port is published and not taken: {one}" for one in promised - taken}
    lines |= {
        f"{name} has endpoints and does not run"
        for name, one in engine.containers.items()
        if one.endpoints and not one.running
    }
    return lines


def _host(records, prepared):
    yield "host: link lo up mtu 65536 loopback"
    yield "host: link eth0 up mtu 1500 veth"
    yield from _loopback("host")
    yield from _address("host", "eth0", "203.0.113.10/24")
    yield "host: route default via 203.0.113.1 dev eth0"
    yield "parameter ipv4/ip_forward 1"
    yield f"parameter ipv6/conf/all/forwarding {int('ip6' in prepared)}"
    for family in prepared:
        yield from _frame(family)
    for record in records:
        if record.driver != "bridge":
            continue
        yield f"host: link {record.bridge} up mtu {record.mtu or 1500} bridge"
        for pool in record.pools:
            yield from _address("host", record.bridge, pool.with_length(pool.gateway))
            yield from _network_rules(record, str(pool.subnet), pool.gateway)


def _loopback(place):
    yield f"{place}: address lo 127.0.0.1/8"
    yield f"{place}: address lo ::1/128"
    yield f"{place}: local route 127.0.0.0/8 dev lo"
    yield f"{place}: local route 127.0.0.1 dev lo"
    yield f"{place}: local route ::1 dev lo"


def _address(place, device, text):
    """Yield an address, and the routes that the kernel makes for it."""
    interface = ipaddress.ip_interface(text)
    yield f"{place}: address {device} {interface}"
    yield f"{place}: local route {interface.ip} dev {device}"
    if interface.network.prefixlen < interface.max_prefixlen:
        yield f"{place}: route {interface.network} dev {device}"


def _container(container, engine, view, homes):  # noqa: C901 - a list of what a container has
    name, home, records = container.name, homes[container.name], engine.networks.records
    if home != name:
        yield f"{name}: is where {home} is"
        if container.image == "nginx" and not _joined(engine, home):
            yield from _web_server(home)
        return
    yield f"{name}: is by itself"
    yield f"{name}: link lo up mtu 65536 loopback"
    yield from _loopback(name)
    if container.asked.mode.startswith("container:"):
        return  # the container that it joined has gone, and left it with nothing but lo
    if container.image == "nginx":
        yield from _web_server(name)
    for network, endpoint in container.endpoints.items():
        record = records[network]
        kind = {"bridge": "veth", "macvlan": "macvlan"}[record.driver]
        mtu = record.mtu or 1500
        yield f"{name}: link {endpoint.interface} up mtu {mtu} {kind} {endpoint.mac} number {endpoint.index}"
        for one in endpoint.addresses:
            yield from _address(name, endpoint.interface, one)
        if record.driver == "bridge":
            veth = f"link {endpoint.veth} up mtu {mtu} veth in {record.bridge} number {endpoint.index + 1}"
            yield f"host: {veth} to {endpoint.index}"
    gateway = gateway_network(container, records)
    for pool in gateway.pools if gateway else ():
        device = container.endpoints[gateway.name].interface
        yield f"{name}: route default via {pool.gateway} dev {device}"
    user_defined = [network for network in sorted(container.endpoints) if records[network].user_defined]
    if user_defined or container.id in engine._connections._served:
        yield from _asks_the_resolver(name, view)
    for question, kind, answer in answers(container, engine):
        yield f"{name}: {kind} of {question} is {answer}"


def _web_server(place):
    yield f"{place}: listens tcp 0.0.0.0 80"
    yield f"{place}: listens tcp :: 80"


def _homes(running, joined):
    """Return in whose namespace each container is, by name: of several that one which joined nobody, or else the first."""
    by_id = {one.id: one for one in running}

    def namespace(one):
        this_run = one.id, one.started
        if one.asked.mode == "host":
            return "host"
        if not _joins(one):
            return this_run
        if this_run not in joined:  # the first time that it is seen: now the other one is there
            joined[this_run] = namespace(by_id[one.asked.mode.removeprefix("container:")])
        return joined[this_run]

    homes, found = {"host": "host"}, {}
    for one in sorted(running, key=lambda one: (_joins(one), one.name)):
        found[one.name] = homes.setdefault(namespace(one), one.name)
    return found


def _joins(container):
    return container.asked.mode.startswith("container:")


def _joined(engine, name):
    return name in engine.containers and _joins(engine.containers[name])


def gateway_network(container, records):
    """Return the network of the default route: no internal one, rather one with both families, the first by name."""
    outward = [records[name] for name in container.endpoints if not records[name].internal]
    return min(outward, key=lambda record: (-len(record.pools), record.name), default=None)


def _asks_the_resolver(name, view):
    """Yield the rules that lead to the resolver's sockets, which the kernel numbers."""
    place = view["places"].get(name, {})
    ports = {kind: port for kind, at, port in place.get("sockets", []) if at == "127.0.0.11"}
    to, back = "rule ip docker-dns dns-dnat", "rule ip docker-dns dns-snat"
    yield f"{name}: chain ip docker-dns dns-dnat nat output -100 accept"
    yield f"{name}: chain ip docker-dns dns-snat nat postrouting 100 accept"
    for number, kind in enumerate(("udp", "tcp"), 1):
        port = ports.get(kind, "of nobody")
        yield f"{name}: listens {kind} 127.0.0.11 {port}"
        yield f"{name}: {to} {number}: ip daddr 127.0.0.11 {kind} dport 53 dnat to 127.0.0.11:{port} # DNS {kind.upper()}"
        yield f"{name}: {back} {number}: ip saddr 127.0.0.11 {kind} sport {port} snat to :53 # DNS {kind.upper()} reply"


def answers(container, engine):
    """Yield what a container must be told: question, kind of record, and what the answer is."""
    records = engine.networks.records
    known: dict[str, list[str]] = {}
    for network in sorted(container.endpoints):
        here: dict[str, list[str]] = {}
        for identifier, endpoint in records[network].endpoints.items() if records[network].user_defined else ():
            member = next(one for one in engine.containers.values() if one.id == identifier)
            for name in {member.name, *endpoint.aliases, member.id[:12], member.hostname}:
                here.setdefault(name, []).extend(one.partition("/")[0] for one in endpoint.addresses)
        known = here | known
    for name, addresses in known.items():
        for kind, version in (("A", 4), ("AAAA", 6)):
            yield name, kind, sorted(one for one in addresses if ipaddress.ip_address(one).version == version)
    if container.id in engine._connections._served:
        elsewhere = {one.name for one in engine.containers.values()} - set(known)
        for name in sorted(elsewhere)[:2]:
            yield name, "A", []


def questions(lab):
    """Return what to ask in which place, for `Lookout.look`."""
    running = [one for one in lab.engine.containers.values() if one.running and not _joins(one)]
    found = {one.name: [[name, kind] for name, kind, _ in answers(one, lab.engine)] for one in running}
    return [[name, asked] for name, asked in found.items() if asked]


def _proxy(container, records, published):
    endpoint = container.endpoints[gateway_network(container, records).name]
    target = endpoint.address(4) or endpoint.address(6)
    return (
        f"docker-proxy: {published.claim.protocol} {published.claim.port} → {target}:{published.binding.container_port}"
    )


def _pools(record):
    """Yield the addresses that IPAM says are in use, but for those that no interface ever has."""
    for pool in record.pools:
        spare = {int(pool.subnet.network_address)}
        if pool.subnet.version == 4:
            spare.add(int(pool.subnet.broadcast_address))
        if record.driver != "bridge":
            spare.add(int(ipaddress.ip_address(pool.gateway)))
        for number in pool._taken - spare:
            address = type(pool.subnet.network_address)(number)
            yield f"in use on {record.name}: {address}"
        first = int(pool._range.network_address)
        lowest = next(number for number in range(first, first + len(pool._taken) + 2) if number not in pool._taken)
        if pool._next != lowest:
            yield f"the next address of {record.name} is {pool._next}, not {lowest}"


# ── the rules ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _frame(family):
    """Yield what stands there without any network."""
    loopback = "127.0.0.0/8" if family == "ip" else "::1"
    for name, words in {
        "filter-FORWARD": " filter forward 0 drop",
        "nat-OUTPUT": " nat output -100 accept",
        "nat-POSTROUTING": " nat postrouting 100 accept",
        "nat-PREROUTING": " nat prerouting -100 accept",
        "raw-PREROUTING": " filter prerouting -300 accept",
        "DOCKER-USER": "",
        "nat-prerouting-and-output": "",
    }.items():
        yield f"host: chain {family} {BRIDGES} {name}{words}"
    yield f"host: chain {family} filter FORWARD filter forward 0 accept"  # as `iptables` has it
    yield f"host: chain {family} filter DOCKER-USER"
    yield f"host: rule {family} filter FORWARD 1: jump DOCKER-USER # None"
    local = "fib daddr type local jump nat-prerouting-and-output"
    rules = {
        "filter-FORWARD": [
            "jump DOCKER-USER # YOUR OWN RULES",
            "iifname vmap @filter-forward-internal-jumps # FROM AN INTERNAL BRIDGE",
            "oifname vmap @filter-forward-in-jumps # TO A BRIDGE",
            "iifname vmap @filter-forward-out-jumps # FROM A BRIDGE",
        ],
        "nat-PREROUTING": [f"{local} # TO THE HOST ITSELF"],
        "nat-OUTPUT": [f"{family} daddr != {loopback} {local} # FROM THE HOST TO ITSELF"],
        "nat-prerouting-and-output": [
            f"{family} daddr . l4proto . th dport vmap @nat-address-port-jumps # PUBLISHED ON ONE ADDRESS",
            "l4proto . th dport vmap @nat-port-jumps # PUBLISHED ON EVERY ADDRESS",
        ],
        "nat-POSTROUTING": [
            "iifname vmap @nat-postrouting-out-jumps # FROM A BRIDGE",
            "oifname vmap @nat-postrouting-in-jumps # TO A BRIDGE",
        ],
        "raw-PREROUTING": [f"{family} daddr vmap @raw-prerouting-jumps # TO A CONTAINER'S ADDRESS"],
    }
    if family == "ip":
        rules["raw-PREROUTING"].append("iifname != lo ip daddr 127.0.0.0/8 drop # DROP REMOTE LOOPBACK")
    for chain, texts in rules.items():
        yield from _numbered(family, chain, texts)


def _numbered(family, chain, texts):
    for number, text in enumerate(texts, 1):
        yield f"host: rule {family} {BRIDGES} {chain} {number}: {text}"


def _family(subnet):
    return "ip6" if ":" in subnet else "ip"


def _network_rules(record, subnet, gateway):
    family, bridge = _family(subnet), record.bridge
    into, out = f"filter-forward-in__{bridge}", f"filter-forward-out__{bridge}"
    nat_in, nat_out, raw = (
        f"nat-postrouting-in__{bridge}",
        f"nat-postrouting-out__{bridge}",
        f"raw-prerouting__{bridge}",
    )
    answered = "ct state established,related accept # ANSWERS"
    icc = "accept" if record.icc else "drop"
    discovery = f"iifname {bridge} icmpv6 type nd-neighbor-advert,nd-neighbor-solicit accept # NEIGHBOUR DISCOVERY"
    neighbours = [discovery] if family == "ip6" and not record.icc else []
    if record.internal:
        rules = {
            into: [answered, f"iifname != {bridge} drop # INTERNAL NETWORK INGRESS", *neighbours, f"{icc} # ICC"],
            out: [answered, f"oifname != {bridge} drop # INTERNAL NETWORK EGRESS"],
        }
    else:
        masquerade = [f"oifname != {bridge} {family} saddr {subnet} masquerade # MASQUERADE"]
        rules = {
            into: [
                answered,
                *neighbours,
                f"iifname {bridge} {icc} # ICC",
                f"{family} daddr vmap @filter-forward-port-jumps # PUBLISHED PORTS",
                "drop # UNPUBLISHED PORT DROP",
            ],
            out: [answered, "accept # OUTGOING"],
            nat_out: masquerade if record.masquerades else [],
            raw: [f"{family} daddr != {gateway} iifname != {bridge} drop # DROP DIRECT ACCESS"],
        }
        yield f"host: chain {family} {BRIDGES} {raw}"
        yield f"host: element {family} raw-prerouting-jumps {subnet} → {raw}"
    for chain in (into, out, nat_in, nat_out):
        yield f"host: chain {family} {BRIDGES} {chain}"
    away = "filter-forward-internal-jumps" if record.internal else "filter-forward-out-jumps"
    yield f"host: element {family} filter-forward-in-jumps {bridge} → {into}"
    yield f"host: element {family} {away} {bridge} → {out}"
    yield f"host: element {family} nat-postrouting-in-jumps {bridge} → {nat_in}"
    yield f"host: element {family} nat-postrouting-out-jumps {bridge} → {nat_out}"
    for chain, texts in rules.items():
        yield from _numbered(family, chain, texts)


def _port_rules(container, records):
    record = gateway_network(container, records)
    if record is None or record.driver != "bridge" or not container.published:
        return
    for text in container.endpoints[record.name].addresses:
        address = text.partition("/")[0]
        family, name = _family(address), address.replace(":", "-")
        ports = [(one, at) for one in container.published for at in one.claim.addresses if _family(at) == family]
        if not ports:
            continue
        accept, nat = f"filter-forward-port__{name}", f"nat-port__{name}"
        yield f"host: chain {family} {BRIDGES} {accept}"
        yield f"host: chain {family} {BRIDGES} {nat}"
        yield f"host: element {family} filter-forward-port-jumps {address} → {accept}"
        written = []
        for one, at in ports:
            every, kind, port = at in ("0.0.0.0", "::"), one.claim.protocol, one.claim.port
            key = f"{kind} . {port}" if every else f"{at} . {kind} . {port}"
            yield f"host: element {family} {'nat-port' if every else 'nat-address-port'}-jumps {key} → {nat}"
            source = "ip6 saddr != fe80::/10 " if family == "ip6" else ""
            target = "" if every else f"{family} daddr {at} "
            inside = f"[{address}]" if family == "ip6" else address
            to = f"dnat to {inside}:{one.binding.container_port} # DNAT"
            written.append(f"iifname != {record.bridge} {source}{target}{kind} dport {port} {to}")
        yield from _numbered(family, nat, written)
        opened = dict.fromkeys((one.binding.container_port, one.claim.protocol) for one, _ in ports)
        texts = [f"{family} daddr {address} {kind} dport {port} accept # PUBLISHED PORT" for port, kind in opened]
        yield from _numbered(family, accept, texts)


# ── what is there ──────────────────────────────────────────────────────────────────────────────────────────────────


def seen(view: dict, lab) -> set[str]:
    """Return what a lookout saw."""
    places, found = view["places"], set()
    homes = {}  # whose a namespace is, by its number: the first that has it and joined nobody
    for name in sorted(places, key=lambda name: (name != "host", _joined(lab.engine, name), name)):
        homes.setdefault(places[name]["inode"], name)
    for name, place in places.items():
        home = homes[place["inode"]]
        if home != name:
            found.add(f"{name}: is where {home} is")
            continue
        orphan = name != "host" and _joined(lab.engine, name)
        if name != "host":
            found.add(f"{name}: is by itself")
        found |= {f"{name}: {line}" for line in _links(name, place["links"])}
        found |= {f"{name}: {line}" for line in _routes(place["routes"])}
        if not orphan:  # what a container that has gone left to those who joined it, nobody can take away
            found |= {f"{name}: {line}" for line in _ruleset(place["rules"])}
            found |= {f"{name}: listens {kind} {at} {port}" for kind, at, port in place["sockets"]}
        for question, kind, answer in place.get("answers", []):
            found.add(f"{name}: {kind} of {question} is {answer or []}")
    found |= _counted("process", view["processes"])
    found |= {f"parameter {key} {value}" for key, value in view["parameters"].items()}
    for record in lab.engine.networks.records.values():
        for pool in record.pools:
            found |= {f"in use on {record.name}: {one}" for one in _in_use(view, record, pool)}
    return found


def _in_use(view, record, pool):
    for place in view["places"].values():
        for link in place["links"]:
            if place["inode"] == view["places"]["host"]["inode"] and link["ifname"] != record.bridge:
                continue
            for one in link["addr_info"]:
                address = ipaddress.ip_address(one["local"])
                if address.version == pool.subnet.version and address in pool.subnet:
                    yield address


def _links(place, links):
    for link in links:
        kind = link.get("linkinfo", {}).get("info_kind", link["link_type"])
        state = "up" if "UP" in link["flags"] else "down"
        line = f"link {link['ifname']} {state} mtu {link['mtu']} {kind}"
        if place != "host" and kind != "loopback":
            line += f" {link['address']} number {link['ifindex']}"
        if place == "host" and link["ifname"] not in OWN and kind == "veth":
            line += f" in {link.get('master')} number {link['ifindex']} to {link.get('link_index')}"
        yield line
        for one in link["addr_info"]:
            if one["scope"] != "link":
                yield f"address {link['ifname']} {one['local']}/{one['prefixlen']}"


def _routes(routes):
    for route in routes:
        kind, to = route.get("type", "unicast"), route["dst"]
        if kind in ("broadcast", "anycast", "multicast") or to.startswith(("fe80:", "ff00:")):
            continue
        via = f" via {route['gateway']}" if "gateway" in route else ""
        yield f"{'' if kind == 'unicast' else kind + ' '}route {to}{via} dev {route['dev']}"


def _ruleset(entries):
    numbers = Counter()
    for entry in entries:
        ((what, one),) = entry.items()
        if what == "chain":
            words = [one[key] for key in ("type", "hook", "prio", "policy") if key in one]
            yield " ".join(map(str, ["chain", one["family"], one["table"], one["name"], *words]))
        elif what == "map":
            for key, verdict in one.get("elem", []):
                yield f"element {one['family']} {one['name']} {_word(key)} → {verdict['jump']['target']}"
        elif what == "rule":
            chain = one["family"], one["table"], one["chain"]
            numbers[chain] += 1
            words = " ".join(word for part in one["expr"] if (word := _part(part)))
            yield f"rule {' '.join(chain)} {numbers[chain]}: {words} # {one.get('comment')}"
        elif what not in ("metainfo", "table"):
            yield f"{what} {one}"


def _part(part):
    """Return one part of a rule as nft writes it."""
    ((what, one),) = part.items()
    if what == "match":
        operator = "" if one["op"] in ("==", "in") else f"{one['op']} "
        return f"{_word(one['left'])} {operator}{_word(one['right'])}"
    if what == "vmap":
        return f"{_word(one['key'])} vmap {one['data']}"
    if what in ("dnat", "snat"):
        address = one.get("addr", "")
        return f"{what} to {f'[{address}]' if ':' in address else address}:{one['port']}"
    if what == "jump":
        return f"jump {one['target']}"
    return "" if what == "counter" else what


def _word(value):
    if not isinstance(value, dict):
        return ",".join(sorted(map(_word, value))) if isinstance(value, list) else str(value)
    ((what, one),) = value.items()
    if what == "payload":
        return f"{one['protocol']} {one['field']}"
    if what == "prefix":
        return f"{one['addr']}/{one['len']}"
    if what == "concat":
        return " . ".join(map(_word, one))
    if what == "set":
        return _word(one)
    if what == "fib":
        return f"fib {' '.join(one['flags'])} {one['result']}"
    return f"ct {one['key']}" if what == "ct" else str(one["key"])


def _counted(what, texts):
    plain = ("dns: name server (netlab)" if NAME_SERVER in text else text for text in texts)  # it becomes that program
    return {f"{what} {text}, {times} times" for text, times in Counter(plain).items()}
