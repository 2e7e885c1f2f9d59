"""What the docker command needs of a lab."""

from __future__ import annotations

import threading
from typing import Protocol

from netlab.docker.engine import Engine
from netlab.world import World


class DockerLab(Protocol):
    """A lab, as the docker command sees it."""

    name: str
    world: World
    lock: threading.RLock

    @property
    def engine(self) -> Engine:
        """The engine of the lab's first host."""
