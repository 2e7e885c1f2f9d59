"""Random labs with random faults, and what really happens in them: the judge of explanations."""

from __future__ import annotations

import contextlib
import random

from netlab import Lab
from netlab.errors import NotFound
from netlab.faults.breaking import FAULTS
from netlab.faults.fault import Situation
from netlab.faults.ways import probe, survey


def build(drawn: random.Random) -> Lab:
    """Build a lab of networks, published ports and namespaces made by hand."""
    hosts = drawn.choice((1, 1, 1, 2))
    lab = Lab(hosts=hosts)
    try:
        names = ["bridge"]
        for number in range(drawn.randint(0, 2)):
            lab.network(f"n{number}", internal=drawn.random() < 0.3)
            names.append(f"n{number}")
        if hosts == 2:
            lab.network("ov", driver="overlay")
            lab.run("far", image="nginx", network="ov", host="host2")
            names.append("ov")
        for number in range(drawn.randint(2, 4)):
            image = "nginx" if number == 0 else drawn.choice(("nginx", "alpine"))
            network = drawn.choice(names)
            publish = f"{8080 + number}:80" if image == "nginx" and drawn.random() < 0.5 else None
            lab.run(f"c{number}", image=image, network=network, **({"publish": publish} if publish else {}))
        if hosts == 1 and drawn.random() < 0.2:
            lab.network("lan", driver="macvlan", subnet="203.0.113.0/24", gateway="203.0.113.1",
                        ip_range="203.0.113.192/27", options={"parent": "eth0"})  # fmt: skip
            lab.run("beside", image="nginx", network="lan")
        if drawn.random() < 0.4:
            by_hand(lab, routed=drawn.random() < 0.5)
    except BaseException:
        lab.close()
        raise
    return lab


def by_hand(lab: Lab, *, routed: bool) -> None:
    """Make two namespaces: on one bridge, or each on a cable of its own with the host between them."""
    host = lab.host
    if not routed:
        host.add_bridge("br0").up()
    for number, name in enumerate(("red", "blue")):
        place = lab.namespace(name)
        end, inner = host.add_veth(f"veth-{name}", "eth0", peer_place=place)
        subnet = f"10.5.{number if routed else 0}"
        place.link("lo").up()
        inner.add_address(f"{subnet}.{number + 2}/24")
        inner.up()
        end.up()
        if routed:
            end.add_address(f"{subnet}.1/24")
            place.add_route("default", via=f"{subnet}.1")
        else:
            end.attach("br0")


def damage(lab: Lab, drawn: random.Random, count: int) -> list[str]:
    """Inflict faults without looking whether they hurt; return their names."""
    struck = []
    for _ in range(count):
        snapshot = lab.snapshot()
        situation = Situation(lab.world, snapshot, survey(snapshot, lab._explain)[0])
        faults = list(FAULTS.values())
        drawn.shuffle(faults)
        for fault in faults:
            breaks = list(fault.strikes(situation))
            if breaks:
                for command in drawn.choice(breaks).commands:
                    with contextlib.suppress(NotFound):
                        lab[command.place].sh(command.command)
                struck.append(fault.name)
                break
    return struck


def pairs(lab: Lab, drawn: random.Random, count: int) -> list[tuple[str, str]]:
    """Draw pairs of a place and a target, of all sorts."""
    snapshot = lab.snapshot()
    people = [
        one for one in snapshot.places
        if one.kind in ("container", "namespace") and not any(i.kind == "vxlan" for i in one.interfaces)
    ]  # fmt: skip
    targets = [
        "http://www.example.com",
        "ping 203.0.113.10",
        "ping www.example.com",
        "http://203.0.113.10:8080",
        "ping 8.8.8.8",
    ]
    for one in people:
        addresses = [a.address for i in one.interfaces if i.kind != "loopback" for a in i.addresses if a.family == 4]
        for where in [one.name, *addresses]:
            targets += [f"ping {where}", f"http://{where}"]
    sources = [one.name for one in people] + ["host", "client"]
    return list({(drawn.choice(sources), drawn.choice(targets)) for _ in range(count)})


def disagreements(seed: int, count: int = 12) -> tuple[list[str], int, int]:
    """Build, damage and compare; return where explanation and reality differ, how many were compared and how many uncertain."""
    drawn = random.Random(seed)  # noqa: S311 - to be repeated
    with build(drawn) as lab:
        struck = damage(lab, drawn, drawn.randint(0, 3))
        wrong, uncertain, asked = [], 0, sorted(pairs(lab, drawn, count))
        for source, target in asked:
            explained = lab.why(source, target)
            if explained.ok is None:
                uncertain += 1
                continue
            if probe(lab, source, target) != explained.ok:
                wrong.append(
                    f"seed {seed}, faults {struck}, {source} → {target}:\n{explained}\n{lab.why(source, target)}"
                )
    return wrong, len(asked), uncertain
