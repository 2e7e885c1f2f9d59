"""What the engine keeps in mind: networks, and what a container was asked to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netlab import images
from netlab.drivers.bridge import Endpoint
from netlab.drivers.overlay import GATEWAY_NETWORK
from netlab.ipam import AddressPool
from netlab.ipam_config import Config
from netlab.publish import Claim, PortBinding, exposed

PREDEFINED = ("bridge", "host", "none")


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was asked about a container's connection to one network. `network_id` is filled in by the engine."""

    network: str
    address: str | None = None
    address6: str | None = None
    aliases: tuple[str, ...] = ()
    mac: str | None = None
    network_id: str = ""


@dataclass(frozen=True, slots=True)
class Specification:
    """What a container was asked to be: the options of `docker run`.

    `command` is what follows the image; without it, the image's own program runs. `attachments` may be empty: the
    container is then on the network that `mode` names.
    """

    image: str
    hostname: str | None = None
    mode: str = "bridge"  # a network's name, host, none, or container:NAME
    attachments: tuple[Attachment, ...] = ()
    publish: tuple[PortBinding, ...] = ()
    publish_all: bool = False
    expose: tuple[tuple[int, str], ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()  # name and address, or host-gateway
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    auto_remove: bool = False
    restart: str = "no"  # no, always, unless-stopped or on-failure
    most_restarts: int = 0  # in a row, of on-failure; 0: any number
    interactive: bool = False  # -i and -t, which `docker inspect` tells of
    tty: bool = False

    @property
    def exposed(self) -> list[tuple[int, str]]:
        """The ports that the container serves, by what its image and its options say."""
        role = images.find(self.image).role
        own = [(int(role["port"]), "tcp")] if "port" in role else []
        return list(dict.fromkeys([*own, *self.expose, *exposed(self.publish)]))

    @property
    def bindings(self) -> list[PortBinding]:
        """The ports to publish: those asked for, and with `publish_all` every other one that is exposed."""
        asked = exposed(self.publish)
        rest = [one for one in self.exposed if one not in asked] if self.publish_all else []
        return [*self.publish, *(PortBinding(None, None, port, protocol) for port, protocol in rest)]


@dataclass(frozen=True, slots=True)
class Published:
    """One port of a container that the host answers for: where, and the proxy that stands in for it."""

    binding: PortBinding
    claim: Claim
    proxy: str


@dataclass(frozen=True, slots=True)
class Query:
    """One question that a container asked its internal name server, and what became of it.

    `outcome` is answer, empty (the name is known, but has no such record) or forward (asked further up).
    """

    time: float
    container: str
    name: str
    kind: str
    protocol: str
    outcome: str
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of a new network: the options of `docker network create`."""

    name: str
    driver: str = "bridge"
    configs: Sequence[Config] = ()
    internal: bool = False
    ipv6: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    attachable: bool = False  # whether containers may be connected to an overlay network by hand


@dataclass
class NetworkRecord:
    """One network as a host knows it, and the endpoints that are on it now there, by container id."""

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
    host: str = ""
    attachable: bool = False
    everywhere: list[NetworkRecord] = field(
        default_factory=list, repr=False, compare=False
    )  # of an overlay: each host's
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    @property
    def user_defined(self) -> bool:
        """Whether it was made by and by, and is no predefined one: addresses may be asked for on it."""
        return self.name not in PREDEFINED

    @property
    def resolves(self) -> bool:
        """Whether names are resolved on it."""
        return self.user_defined and self.name != GATEWAY_NETWORK

    @property
    def gives_way(self) -> bool:
        """Whether its containers reach the outside by it: overlay networks leave that to docker_gwbridge."""
        return not self.internal and self.driver != "overlay"

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

    @property
    def prefix(self) -> str:
        """What the names of its containers' interfaces begin with."""
        return self.options.get("com.docker.network.container_iface_prefix", "eth")

    def pool(self, version: int) -> AddressPool | None:
        """Return the pool of IPv4 or IPv6 addresses, if the network has one."""
        return next((pool for pool in self.pools if pool.subnet.version == version), None)

    def gateway(self, version: int) -> str | None:
        """Return the gateway's address, if the network has one."""
        pool = self.pool(version)
        return pool.gateway if pool is not None else None
