"""Building a checkpoint again, in a lab that has just begun.

The engines are asked for the same networks and containers as before, by their own verbs, so that they know all that they
would know. Then all that is configured in the kernel is taken away and configured anew, as the script of the lab would:
what was done by hand is there as well, and in the same words.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from shlex import quote

from netlab import ops
from netlab.checkpoints.memory import Checkpoint, ContainerMemory, Home
from netlab.docker.engine import Engine
from netlab.docker.records import Attachment, NetworkRecord, Wanted
from netlab.drivers import overlay
from netlab.errors import SandboxError
from netlab.ipam import AddressPool
from netlab.kernel.apply import apply
from netlab.language import say
from netlab.publish import PortBinding
from netlab.script import configuration
from netlab.script.configuration import Configuration, Everything
from netlab.script.rebuild import Rebuilding

_RESOLVER_PORT = re.compile(r"ip daddr 127\.0\.0\.11 (udp|tcp) dport 53 .*dnat to 127\.0\.0\.11:(\d+)")
_SECONDS = 60


def rebuild(lab: Home, checkpoint: Checkpoint) -> None:
    """Build a checkpoint in a lab as new; raises NetlabError, and what is there then is of no use."""
    for host, records in checkpoint.networks.items():
        for record in records:
            _make_network(lab.engines[host], record)
    for one in sorted(checkpoint.containers, key=lambda one: (not one.running, one.times["started"] or 0.0)):
        _make_container(lab.engines[one.host], one)
    for host, engine in lab.engines.items():
        ours = [one.name for one in checkpoint.containers if one.host == host]
        engine.containers = {name: engine.containers[name] for name in ours}
    _configure(lab, checkpoint.configured)
    for one in checkpoint.containers:
        _remember(lab.engines[one.host], one)


# ── what the engines know ──────────────────────────────────────────────────────────────────────────────────────────


def _make_network(engine: Engine, record: NetworkRecord) -> None:
    if record.name not in engine.networks.records:  # an overlay network is made on all hosts at once
        options = {key: value for key, value in record.options.items() if key != overlay.NUMBER_OPTION}
        wanted = Wanted(
            record.name,
            record.driver,
            record.configs,
            record.internal,
            record.ipv6,
            dict(record.labels),
            options,
            record.attachable,
        )
        engine.networks.create(wanted, identifier=record.id)
    made = engine.networks.records[record.name]
    if made.id != record.id:
        raise SandboxError(
            say(
                en=f"The network {record.name} cannot be made again with the number that it had.",
                ja=f"ネットワーク {record.name} を、元と同じ番号では作り直せません。",
            )
        )
    made.chosen_by_user, made.created = record.chosen_by_user, record.created


def _make_container(engine: Engine, one: ContainerMemory) -> None:
    joined = one.asked.mode == "host" or one.asked.mode.startswith("container:")
    asked = one.asked if joined else replace(one.asked, mode="none", attachments=())
    (container,) = engine.create([one.name], asked, identifiers=[one.id])
    container.asked = replace(one.asked, publish=tuple(_bound(one)), publish_all=False)
    networks = [name for name in one.endpoints if name in one.attachments]
    automatic = [
        name for name in one.endpoints if name not in one.attachments
    ]  # docker_gwbridge, with the first overlay
    container.attachments = {name: one.attachments[name] for name in networks[:1] or one.attachments}
    if one.running:
        with _at(engine, one, [*networks[:1], *automatic]):
            engine.start(one.name)
        for network in networks[1:]:
            with _at(engine, one, [network]):
                engine.connect(one.name, network, one.attachments[network])
    container.asked = one.asked
    container.attachments = dict(one.attachments)
    for name, value in one.times.items():
        setattr(container, name, value)


def _bound(one: ContainerMemory) -> Iterator[PortBinding]:
    """Yield the published ports with the host ports that they had, also those that nobody had asked for by number."""
    if not one.published:
        yield from one.asked.bindings
    for published in one.published:
        port = published.claim.port
        yield replace(published.binding, host_port=range(port, port + 1))


@contextlib.contextmanager
def _at(engine: Engine, one: ContainerMemory, networks: Sequence[str]) -> Iterator[None]:
    """Have networks give a container the addresses that it had: all that would come before are taken for a moment."""
    taken = [earlier for name in networks for earlier in _before(engine.networks.records[name], one, name)]
    for pool, address in taken:
        pool.take(address)
    try:
        yield
    finally:
        for pool, address in taken:
            pool.release(address)


def _before(record: NetworkRecord, one: ContainerMemory, network: str) -> list[tuple[AddressPool, str]]:
    """Return the addresses that a network would give away before the one that a container had and has not asked for."""
    found: list[tuple[AddressPool, str]] = []
    attachment = one.attachments.get(network, Attachment(network))
    for pool in record.pools:
        wanted = one.endpoints[network].address(pool.subnet.version)
        if wanted is None or wanted in (attachment.address, attachment.address6):
            continue
        count = 1
        while wanted not in (chosen := pool.choose(count)):
            count += 1
        found += [(pool, address) for address in chosen[: chosen.index(wanted)]]
    return found


def _remember(engine: Engine, one: ContainerMemory) -> None:
    """Let the engine know the names that the interfaces had: a container connected in another order has others."""
    container = engine.containers[one.name]
    for network, endpoint in one.endpoints.items():
        container.endpoints[network] = engine.networks.records[network].endpoints[one.id] = endpoint


# ── what is configured ─────────────────────────────────────────────────────────────────────────────────────────────


def _configure(lab: Home, wanted: Everything) -> None:
    """Take away what is configured in the kernel, and configure what was."""
    host = next(iter(lab.engines))
    there = configuration.read(lab.world, host, ("links", "ruleset"))
    places = {name: _with_resolver(one, there.places.get(name)) for name, one in wanted.places.items()}
    for name, one in there.places.items():
        _wipe(lab, name, one)
    wiped = configuration.read(lab.world, host, ("parameters",))
    begun = {name: one.parameters for name, one in wiped.places.items()}
    groups = Rebuilding(Everything(places, wanted.fresh, begun), lab.engines.values()).groups()
    operations = [op for group in groups for op in group.operations]
    names = [op for op in operations if isinstance(op, ops.AddNamespace)]
    known = {(one.host or "", ops.namespace_name(name)) for name, one in there.places.items()}
    apply([op for op in names if (op.place, op.name) not in known], lab.world)
    lab.world.refresh()
    apply([op for op in operations if op not in names], lab.world)


def _wipe(lab: Home, place: str, here: Configuration) -> None:
    lines = ["nft flush ruleset", "ip link set lo down", "ip address flush dev lo"]
    # The other end of a cable goes with the first.
    lines += [f"ip link delete {quote(link['ifname'])} 2> /dev/null" for link in here.links if link["ifname"] != "lo"]
    lines += ["ip -4 route flush table main", "ip -6 route flush table main", "true"]
    lab.world.run_command(place, ["/bin/sh", "-c", "\n".join(lines)], timeout=_SECONDS)


def _with_resolver(was: Configuration, now: Configuration | None) -> Configuration:
    """Return what was configured with the ports that the name server at 127.0.0.11 has now: the kernel chooses them."""
    ports = _resolver_ports(now.ruleset if now else "")
    rules = was.ruleset
    for protocol, old in _resolver_ports(was.ruleset).items():
        new = ports.get(protocol, old)
        rules = rules.replace(f"127.0.0.11:{old} ", f"127.0.0.11:{new} ")
        rules = rules.replace(f"127.0.0.11 {protocol} sport {old} ", f"127.0.0.11 {protocol} sport {new} ")
    return replace(was, ruleset=rules)


def _resolver_ports(ruleset: str) -> Mapping[str, str]:
    return dict(_RESOLVER_PORT.findall(ruleset))
