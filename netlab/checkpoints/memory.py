"""What a checkpoint keeps: plain values, which nothing that happens afterwards can change."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from netlab.docker.engine import Engine
from netlab.docker.records import Attachment, NetworkRecord, Published, Specification
from netlab.drivers.bridge import Endpoint
from netlab.language import say
from netlab.model import Snapshot
from netlab.places.container import Container
from netlab.script import configuration
from netlab.world import World

# How the processes that a lab starts by itself are called: they come back with their places.
_OWN = ("(netlab)", "docker-proxy:", "netlab.servers.")


class Home(Protocol):
    """A lab, as checkpoints see it. Whoever takes or restores one holds its lock."""

    world: World
    lock: threading.RLock

    @property
    def engines(self) -> Mapping[str, Engine]:
        """The engines of all hosts, by the host's name."""

    def snapshot(self) -> Snapshot:
        """Return all that the kernel reports."""


@dataclass(frozen=True)
class ContainerMemory:
    """One container as it was."""

    host: str
    id: str
    name: str
    asked: Specification
    attachments: Mapping[str, Attachment]
    endpoints: Mapping[str, Endpoint]
    published: Sequence[Published]
    running: bool
    times: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """A state of a lab. `lost` says, in words, what of it no restoring brings back."""

    configured: configuration.Everything
    networks: Mapping[str, Sequence[NetworkRecord]]
    containers: Sequence[ContainerMemory]
    lost: Sequence[str]


class Restored:
    """Says that a checkpoint was restored, and what of it could not be brought back."""

    def __init__(self, name: str, lost: Sequence[str]) -> None:
        self.name = name
        self.lost = tuple(lost)

    def __repr__(self) -> str:
        said = say(en=f"The lab is as it was at {self.name!r}.", ja=f"ラボは {self.name!r} の状態に戻りました。")
        if self.lost:
            said += say(en=" What could not be brought back:", ja="次のものは元に戻せません:")
        return "\n".join([said, *(f"  {line}" for line in self.lost)])


def take(lab: Home) -> Checkpoint:
    """Return the lab's state; raises SandboxError when it cannot be read."""
    hosts = list(lab.engines)
    return Checkpoint(
        configuration.read(lab.world, hosts[0]),
        {host: [copy.deepcopy(one) for one in _own(engine)] for host, engine in lab.engines.items()},
        [_container(host, one) for host, engine in lab.engines.items() for one in engine.containers.values()],
        _lost(lab.snapshot()),
    )


def _own(engine: Engine) -> list[NetworkRecord]:
    records = [record for record in engine.networks.records.values() if record.user_defined]
    return sorted(records, key=lambda one: one.created)


_TIMES = ("created", "started", "finished", "restarts", "exit_code", "error")


def _container(host: str, one: Container) -> ContainerMemory:
    return ContainerMemory(
        host,
        one.id,
        one.name,
        one.asked,
        dict(one.attachments),
        dict(one.endpoints),
        list(one.published),
        one.running,
        {name: getattr(one, name) for name in _TIMES},
    )


def _lost(snapshot: Snapshot) -> list[str]:
    """Say which processes run that somebody has started: what they have in mind cannot be kept."""
    found = []
    seen: set[int] = set()
    for place in snapshot.places:
        for process in place.processes:
            if process.pid not in seen and not any(word in process.command for word in _OWN):
                seen.add(process.pid)
                found.append(
                    say(
                        en=f"A process that ran in {place.name}: {process.command or process.name}",
                        ja=f"{place.name} で動いていたプロセス: {process.command or process.name}",
                    )
                )
    return found
