"""What the docker command needs of a lab."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from netlab.docker.engine import Engine
from netlab.errors import RequestError
from netlab.world import World


class DockerLab(Protocol):
    """A lab, as the docker command sees it."""

    name: str
    world: World
    lock: threading.RLock

    @property
    def engine(self) -> Engine:
        """The engine that answers: that of the lab's first host, unless another one was asked for."""

    @property
    def engines(self) -> Mapping[str, Engine]:
        """The engines of all hosts, by the host's name."""


class AtHost:
    """A lab, as the docker command on one of its hosts sees it."""

    def __init__(self, lab: DockerLab, host: str) -> None:
        """Raises RequestError when the lab has no such host."""
        if host not in lab.engines:
            known = ", ".join(lab.engines)
            raise RequestError(f"there is no host {host!r} in this lab. There are: {known}")
        self.name, self.world, self.lock = lab.name, lab.world, lab.lock
        self.engines = lab.engines
        self.engine = lab.engines[host]
