"""Containers: places with an image, an id and a connection to a network."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.drivers.bridge import Endpoint
from netlab.images import Image
from netlab.ops import Operation
from netlab.places.home import Home
from netlab.places.place import Place
from netlab.view.commands import Commands


class Container(Place):
    """A container. It is kept while it is stopped; its network namespace is not, as with Docker."""

    def __init__(self, lab: Home, name: str, identifier: str, image: Image, hostname: str | None = None) -> None:
        super().__init__(lab, name)
        self.id = identifier
        self.image = image.name
        self.hostname = hostname or identifier[:12]
        self._endpoint: Endpoint | None = None
        self._operations: tuple[Operation, ...] = ()

    def __repr__(self) -> str:
        return f"<container {self.name} {self.image} {self.address or self.status}>"

    @property
    def status(self) -> str:
        """Either "running" or "exited"."""
        return "running" if self._endpoint is not None and self.name in self._lab.world else "exited"

    @property
    def address(self) -> str | None:
        """The address that it was given, or None while it is not running."""
        return self._endpoint.address if self._endpoint is not None and self.status == "running" else None

    @property
    def veth(self) -> str | None:
        """The name of the host's end of its veth pair, or None while it is not running."""
        return self._endpoint.veth if self._endpoint is not None and self.status == "running" else None

    @property
    def commands(self) -> Commands:
        """The exact commands that made its namespace and connected it."""
        return Commands([(f"run {self.name}", self._operations)])

    @property
    def main_address(self) -> str:
        """The address that others reach it at."""
        return self.address or super().main_address

    def started(self, endpoint: Endpoint, operations: Sequence[Operation]) -> None:
        """Note how it was connected; for the engine."""
        self._endpoint = endpoint
        self._operations = tuple(operations)

    def ended(self) -> None:
        """Note that it has no network any more; for the engine."""
        self._endpoint = None
