"""Publishing ports: the proxy that listens on the host, and the rules that lead packets to the container."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from errno import EADDRINUSE

from netlab import ops
from netlab.docker.records import NetworkRecord, Published
from netlab.drivers import port_rules
from netlab.drivers.rules import HostRule, RuleChange
from netlab.errors import LabClosed, NetlabError, RequestError
from netlab.kernel.apply import apply, clear
from netlab.places.container import Container
from netlab.publish import Claim, PortAllocator, PortBinding, PortTaken, cannot_bind, refused
from netlab.sandbox.client import AgentRefusal
from netlab.world import World

_START_SECONDS = 30
_END_SECONDS = 5
_MOST_TRIES = 200  # host ports of a range that processes of the host may hold
_DEFAULT_ADDRESS_OPTION = "com.docker.network.bridge.host_binding_ipv4"


class Ports:
    """The published ports of one host. Its caller holds the lab's lock."""

    def __init__(self, world: World, host: str) -> None:
        self._world = world
        self._host = host
        self._allocator = PortAllocator()
        self._serial = 0
        self._ended: dict[str, threading.Event] = {}  # by the proxy's name
        self._rules_of: dict[str, tuple[str, list[RuleChange]]] = {}  # network id and rules, by container id

    def follow(self, container: Container, record: NetworkRecord | None) -> list[ops.Operation]:
        """Publish a container's ports by way of this network and no other; return what was done to the rules.

        Raises RequestError in the engine's words; nothing of the container is published then.
        """
        network, _ = self._rules_of.get(container.id, ("", []))
        if record is not None and network == record.id:
            return []
        done = self.withdraw(container)
        if record is not None and record.driver == "bridge" and container.asked.bindings:
            done += self._publish(container, record)
        return done

    def _publish(self, container: Container, record: NetworkRecord) -> list[ops.Operation]:
        try:
            for binding in container.asked.bindings:
                container.published.append(self._answer_for(container, record, binding))
            changes = self._rules(container, record)
            operations = self._operations(changes)
            apply(operations, self._world)
        except RequestError as error:
            self.withdraw(container)
            raise type(error)(refused(container.name, container.id, error)) from None
        except BaseException:
            self.withdraw(container)
            raise
        self._rules_of[container.id] = record.id, changes
        return operations

    def host_rules(self) -> list[HostRule]:
        """Return the rules that are there for published ports."""
        return [rule for _, changes in self._rules_of.values() for change in changes for rule in change.rules]

    def _operations(self, changes: Sequence[RuleChange]) -> list[ops.Operation]:
        return [ops.NftRules(self._host, change.script, change.undo) for change in changes]

    def withdraw(self, container: Container) -> list[ops.Operation]:
        """Take a container's published ports back, the rules and the proxies; harmless when there are none."""
        _, changes = self._rules_of.pop(container.id, ("", []))
        operations = self._operations(changes)
        undone = [inverse for op in reversed(operations) if (inverse := op.inverse()) is not None]
        clear(operations, self._world)
        for one in container.published:
            with contextlib.suppress(AgentRefusal, LabClosed):
                self._world.sandbox.ask("forget", name=one.proxy)
        for one in container.published:
            self._ended.pop(one.proxy).wait(_END_SECONDS)  # until then, the kernel keeps its port
            self._allocator.release(one.claim)
        if any(one.binding.protocol == "udp" for one in container.published):
            self._forget_flows(container)
        container.published.clear()
        return undone

    def _forget_flows(self, container: Container) -> None:
        """Have the kernel forget the UDP flows that were led to a container: they would go on to its address."""
        for endpoint in container.endpoints.values():
            for address in endpoint.addresses:
                family = "ipv6" if ":" in address else "ipv4"
                flows = ["--proto", "udp", "--family", family, "--reply-src", address.partition("/")[0]]
                with contextlib.suppress(NetlabError, AgentRefusal):  # the host has ended, and its flows with it
                    self._world.run(self._host, ["conntrack", "--delete", *flows], "")

    def _answer_for(self, container: Container, record: NetworkRecord, binding: PortBinding) -> Published:
        """Choose a host port and have a proxy listen there; another port if a process of the host has that one."""
        addresses = binding.addresses(record.options.get(_DEFAULT_ADDRESS_OPTION))
        endpoint = container.endpoints[record.name]
        target = endpoint.address(4) or endpoint.address(6) or ""
        for _ in range(_MOST_TRIES):
            claim = self._allocator.choose(addresses, binding.protocol, binding.host_port)
            self._serial += 1
            proxy = f"docker-proxy-{self._host}-{self._serial}"
            self._allocator.take(claim)
            try:
                self._start_proxy(proxy, claim, (target, binding.container_port))
            except AgentRefusal as error:
                self._allocator.release(claim)
                fixed = binding.host_port is not None and len(binding.host_port) == 1
                if error.errno == EADDRINUSE and not fixed:
                    continue
                why = (error.strerror or "refused").lower()
                raise RequestError(cannot_bind(claim.addresses[0], claim.port, claim.protocol, why)) from None
            except BaseException:
                self._allocator.release(claim)
                raise
            return Published(binding, claim, proxy)
        raise PortTaken("all ports are allocated")

    def _start_proxy(self, name: str, claim: Claim, target: tuple[str, int]) -> None:
        role: dict[str, object] = {
            "kind": "proxy",
            "protocol": claim.protocol,
            "listen": [[address, claim.port] for address in claim.addresses],
            "target": list(target),
        }
        title = f"docker-proxy: {claim.protocol} {claim.port} → {target[0]}:{target[1]}"
        asked = self._world.begin(name, role, hostname="", files={}, title=title, own=(), shares=self._host)
        answer = asked.result(_START_SECONDS)
        self._world.discard(answer)
        ended = self._ended[name] = threading.Event()
        self._world.sandbox.when_ended(answer.fields["pid"], lambda _: ended.set())

    def _rules(self, container: Container, record: NetworkRecord) -> list[RuleChange]:
        ports = [
            port_rules.PortRules(address, one.claim.port, one.binding.container_port, one.binding.protocol)
            for one in container.published
            for address in one.claim.addresses
        ]
        plain = [address.partition("/")[0] for address in container.endpoints[record.name].addresses]
        changes = [port_rules.ports_published(record.bridge, address, ports) for address in plain]
        return [change for change in changes if change.script]
