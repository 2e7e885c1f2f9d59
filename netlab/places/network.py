"""Networks: what containers are connected to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from netlab.docker.records import NetworkRecord
from netlab.errors import NotFound
from netlab.language import say
from netlab.places.container import Container


class NetworkHome(Protocol):
    """A lab, as its networks see it."""

    def networks_of(self, host: str) -> dict[str, Network]:
        """Return all networks that a host knows, by name."""

    def connect(
        self,
        network: str,
        container: str,
        *,
        ip: str | None = None,
        ip6: str | None = None,
        aliases: Sequence[str] = (),
    ) -> None:
        """Connect a running container to a network."""

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network."""

    def remove_network(self, name: str, *, host: str) -> None:
        """Remove a network."""


class Network:
    """A network of one of the lab's hosts, made by `lab.network` or there from the beginning (bridge, host, none)."""

    def __init__(self, lab: NetworkHome, record: NetworkRecord) -> None:
        self._lab = lab
        self._record = record

    def __repr__(self) -> str:
        details = " ".join(word for word in (self.driver, self.subnet, self.bridge) if word)
        return f"<network {self.name} {details}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self._record.name

    @property
    def id(self) -> str:
        """Its id: 64 hexadecimal digits."""
        return self._record.id

    @property
    def host(self) -> str:
        """The name of the host whose engine made it."""
        return self._record.host

    @property
    def driver(self) -> str:
        """The driver that made it: bridge, overlay, macvlan, host or null."""
        return self._record.driver

    @property
    def bridge(self) -> str | None:
        """The name of its bridge on the host."""
        return self._record.bridge or None

    @property
    def subnet(self) -> str | None:
        """Its IPv4 subnet, as 172.18.0.0/16."""
        pool = self._record.pool(4)
        return str(pool.subnet) if pool is not None else None

    @property
    def subnet6(self) -> str | None:
        """Its IPv6 subnet, if it has one."""
        pool = self._record.pool(6)
        return str(pool.subnet) if pool is not None else None

    @property
    def gateway(self) -> str | None:
        """The IPv4 address of the bridge, which is the containers' default gateway."""
        return self._record.gateway(4)

    @property
    def internal(self) -> bool:
        """Whether there is no way from it to the outside."""
        return self._record.internal

    @property
    def containers(self) -> dict[str, str | None]:
        """The containers that are on it now, on whichever host, by name, with their IPv4 addresses."""
        records = self._record.everywhere or [self._record]
        return {one.container: one.address() for record in records for one in record.endpoints.values()}

    def connect(
        self,
        container: str | Container,
        *,
        ip: str | None = None,
        ip6: str | None = None,
        aliases: Sequence[str] = (),
    ) -> None:
        """Connect a running container, as `docker network connect` does."""
        self._check()
        self._lab.connect(self.name, _name(container), ip=ip, ip6=ip6, aliases=aliases)

    def disconnect(self, container: str | Container) -> None:
        """Take a container off, as `docker network disconnect` does."""
        self._check()
        self._lab.disconnect(self.name, _name(container))

    def rm(self) -> None:
        """Remove the network, as `docker network rm` does; raises RequestError while containers are on it."""
        self._check()
        self._lab.remove_network(self.name, host=self.host)

    def _check(self) -> None:
        known = self._lab.networks_of(self.host).get(self.name)
        if known is None or known.id != self.id:
            raise NotFound(
                say(
                    en=f"network {self.name} not found: it was removed.",
                    ja=f"ネットワーク {self.name} はもうありません。削除されました。",
                )
            )


def _name(container: str | Container) -> str:
    return container.name if isinstance(container, Container) else container
