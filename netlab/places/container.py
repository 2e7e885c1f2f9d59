"""Containers: places with an image, an id and connections to networks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Literal

from netlab.docker.records import Attachment, Published, Specification
from netlab.drivers.bridge import Endpoint
from netlab.ops import Operation
from netlab.places.home import Home
from netlab.places.place import Place
from netlab.publish import shown
from netlab.view.commands import Commands

Status = Literal["created", "running", "exited"]


class Container(Place):
    """A container. It is kept while it is stopped; its network namespace is not, as with Docker."""

    def __init__(self, lab: Home, name: str, identifier: str, asked: Specification) -> None:
        super().__init__(lab, name)
        self.id = identifier
        self.asked = asked
        self.hostname = asked.hostname or identifier[:12]
        self.running = False
        self.created = time.time()
        self.started: float | None = None
        self.finished: float | None = None
        self.restarts = 0  # in a row, by its restart policy
        self.exit_code = 0  # of its first process, once it has ended: 128 and the number if a signal ended it
        self.error = ""  # why it could not be started, the last time
        self.told_to_end = False  # its first process is, and will not be started again
        self.over = threading.Event()  # set when its first process has ended by itself, and it was taken away
        self.attachments: dict[str, Attachment] = {}  # what it is connected to, running or not, by the network's name
        self.endpoints: dict[str, Endpoint] = {}  # by the network's name, in the order in which they were made
        self.published: list[Published] = []
        self.operations: list[Operation] = []
        self.teardown = ExitStack()  # what undoes its start, the last first

    def __repr__(self) -> str:
        return f"<container {self.name} {self.image} {self.address or self.status}>"

    @property
    def image(self) -> str:
        """The image's name."""
        return self.asked.image

    @property
    def status(self) -> Status:
        """Either "created" (never started), "running" or "exited"."""
        if self.running and self._lab.world.sandbox.alive:
            return "running"
        return "created" if self.started is None else "exited"

    @property
    def address(self) -> str | None:
        """The address on its first network, or None while it has none."""
        return next((endpoint.address() for endpoint in self.endpoints.values()), None)

    @property
    def addresses(self) -> dict[str, str | None]:
        """The IPv4 address on each network, by the network's name."""
        return {network: endpoint.address() for network, endpoint in self.endpoints.items()}

    @property
    def veth(self) -> str | None:
        """The name of the host's end of its first veth pair, or None while it has none."""
        return next((endpoint.veth for endpoint in self.endpoints.values() if endpoint.veth), None)

    @property
    def ports(self) -> dict[str, list[str]]:
        """Where its published ports are, as `docker port` says it: {"80/tcp": ["0.0.0.0:8080", "[::]:8080"]}."""
        found: dict[str, list[str]] = {}
        for one in self.published:
            key = f"{one.binding.container_port}/{one.binding.protocol}"
            found.setdefault(key, []).extend(shown(address, one.claim.port) for address in one.claim.addresses)
        return found

    @property
    def commands(self) -> Commands:
        """The exact commands that made its namespace and connected it."""
        hosts = [entry.name for entry in self._lab.world if entry.kind == "host"]
        return Commands([(f"run {self.name}", self.operations)], hosts)

    @property
    def main_address(self) -> str:
        """The address that others reach it at."""
        return self.address or super().main_address

    def note(self, operations: Sequence[Operation]) -> None:
        """Remember what was done to connect it; for the engine."""
        self.operations.extend(operations)
