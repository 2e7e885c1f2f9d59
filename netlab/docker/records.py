"""What the engine keeps in mind: networks, and what a container was asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netlab.drivers.bridge import Endpoint
from netlab.ipam import AddressPool
from netlab.ipam_config import Config
from netlab.publish import Claim, PortBinding

PREDEFINED = ("bridge", "host", "none")


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was asked about a container's connection to one network."""

    network: str
    address: str | None = None
    address6: str | None = None
    aliases: tuple[str, ...] = ()
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Specification:
    """What a container was asked to be: the options of `docker run` that concern a network."""

    image: str
    hostname: str | None = None
    mode: str = "bridge"  # a network's name, host, none, or container:NAME
    attachment: Attachment | None = None
    publish: tuple[PortBinding, ...] = ()
    publish_all: bool = False
    expose: tuple[tuple[int, str], ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """One port of a container that the host answers for: where, and the proxy that stands in for it."""

    binding: PortBinding
    claim: Claim
    proxy: str


@dataclass
class NetworkRecord:
    """One network of a host, and the endpoints that are on it now, by container id."""

    id: str
    name: str
    driver: str
    configs: list[Config] = field(default_factory=list)
    pools: list[AddressPool] = field(default_factory=list)
    bridge: str = ""
    internal: bool = False
    ipv6: bool = False
    chosen_by_user: bool = False  # whether the subnet was asked for
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    created: float = 0.0
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    @property
    def user_defined(self) -> bool:
        """Whether a student made it: names are resolved on it then, and addresses may be asked for."""
        return self.name not in PREDEFINED

    @property
    def icc(self) -> bool:
        """Whether its containers may talk to each other."""
        return self.options.get("com.docker.network.bridge.enable_icc", "true") != "false"

    @property
    def masquerades(self) -> bool:
        """Whether its containers appear under the host's address outside."""
        return not self.internal and self.options.get("com.docker.network.bridge.enable_ip_masquerade") != "false"

    @property
    def mtu(self) -> int:
        """The size of the largest packet, in bytes; 0 for the kernel's choice."""
        return int(self.options.get("com.docker.network.driver.mtu", "0"))

    def pool(self, version: int) -> AddressPool | None:
        """Return the pool of IPv4 or IPv6 addresses, if the network has one."""
        return next((pool for pool in self.pools if pool.subnet.version == version), None)

    def gateway(self, version: int) -> str | None:
        """Return the gateway's address, if the network has one."""
        pool = self.pool(version)
        return pool.gateway if pool is not None else None
