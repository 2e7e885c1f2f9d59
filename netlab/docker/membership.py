"""A running container comes onto a network and leaves it: its routes, names, ports and files follow."""

from __future__ import annotations

import contextlib

from netlab import ops
from netlab.docker import files
from netlab.docker.connecting import Connections
from netlab.docker.ports import Ports
from netlab.docker.records import Attachment, NetworkRecord
from netlab.docker.starting import SHARED, Starting
from netlab.errors import NetlabError, RequestError
from netlab.places.container import Container


class Membership:
    """Connects and disconnects the running containers of one host. Its caller holds the lab's lock."""

    def __init__(self, host: str, connections: Connections, ports: Ports, starting: Starting) -> None:
        self._host = host
        self._connections = connections
        self._ports = ports
        self._starting = starting

    def check(self, container: Container, record: NetworkRecord) -> None:
        """Refuse a connection that cannot be, whether the container runs or not; raises RequestError."""
        if record.name in container.attachments:
            raise RequestError(f"endpoint with name {container.name} already exists in network {record.name}")
        if container.asked.mode == "host" or container.asked.mode.startswith(SHARED):
            raise RequestError(
                "container sharing network namespace with another container or host cannot be connected to any other "
                "network"
            )
        if record.name == "host":
            raise RequestError(
                "cannot connect container to host network - container must be created in host network mode"
            )
        if "none" in container.attachments or (record.name == "none" and container.attachments):
            raise RequestError(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            )

    def join(self, container: Container, record: NetworkRecord, asked: Attachment) -> list[ops.Operation]:
        """Connect a running container to a network; nothing has changed when that fails."""
        if not record.pools:
            return []
        served = self._connections.is_served(container)
        try:
            return self._join(container, record, asked)
        except BaseException:
            self.leave(container, record)
            if not served:
                self._connections.serve_no_names(container)
            raise

    def _join(self, container: Container, record: NetworkRecord, asked: Attachment) -> list[ops.Operation]:
        connections = self._connections
        connections.reserve(container, record, asked)
        done = connections.connect(container, record)
        done += connections.lead_out(container)
        done += connections.route(container)
        connections.introduce(container, record)
        done += connections.serve_names(container)
        done += self._ports.follow(container, connections.gateway_network(container))
        lines = files.own_lines(container.hostname, container.endpoints[record.name])
        hosts = self._starting.read_own(container.name, "hosts")
        self._starting.write_own(container, "hosts", files.with_lines(hosts, lines))
        if connections.is_served(container):
            self._starting.write_own(container, "resolv.conf", files.resolv_conf(container.asked, embedded=True))
        return done

    def leave(self, container: Container, record: NetworkRecord) -> list[ops.Operation]:
        """Take a running container off a network, however far it came on it."""
        endpoint = container.endpoints.get(record.name)
        if endpoint is None:
            return []
        done = self._connections.parting(container, record.name)
        self._connections.disconnect(container, record.name)
        # What is left of a container whose namespace was changed by hand may refuse; it has left all the same.
        with contextlib.suppress(NetlabError):
            done += self._connections.lead_out(container)
        with contextlib.suppress(NetlabError):
            done += self._connections.route(container)
        with contextlib.suppress(NetlabError):
            self._connections.serve_names(container)
        with contextlib.suppress(NetlabError):
            done += self._ports.follow(container, self._connections.gateway_network(container))
        hosts = self._starting.read_own(container.name, "hosts")
        lines = files.own_lines(container.hostname, endpoint)
        self._starting.write_own(container, "hosts", files.without_lines(hosts, lines))
        return done
