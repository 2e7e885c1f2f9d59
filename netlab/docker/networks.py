"""The networks of one host: made, found, removed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from netlab import ipam, ipam_config, ops
from netlab.docker.records import PREDEFINED, NetworkRecord, Wanted
from netlab.docker.swarm import Swarm
from netlab.drivers import bridge, macvlan, overlay, rules
from netlab.errors import NameTaken, NotFound, RequestError
from netlab.kernel import observe
from netlab.kernel.apply import apply, clear
from netlab.language import say
from netlab.names import check_interface, container_id, made_up_mac
from netlab.places.home import Home
from netlab.world import World

DRIVERS = ("bridge", "host", "macvlan", "null", "overlay")
_NAME_OPTION = "com.docker.network.bridge.name"
_MTU_OPTION = "com.docker.network.driver.mtu"
_HOST_ADDRESS_OPTION = "com.docker.network.host_ipv4"
_BARE_OPTION = "com.docker.network.bridge.inhibit_ipv4"
_DOCKER0_INDEX = 3


class EngineHome(Home, Protocol):
    """A lab, as its engine sees it."""

    def check_free(self, names: Sequence[str]) -> None:
        """Raise NameTaken when one of the names is in use already, or is there twice."""

    def note(self, title: str, operations: Sequence[ops.Operation]) -> None:
        """Write a change that was made into the history."""

    @property
    def lock(self) -> threading.RLock:
        """What whoever changes the lab holds meanwhile."""


class Networks:
    """The networks of one host. Its caller holds the lab's lock."""

    def __init__(self, lab: EngineHome, world: World, host: str, swarm: Swarm) -> None:
        self._lab = lab
        self.swarm = swarm
        self._world = world
        self.host = host
        self._serial = 0
        self._prepared: set[str] = set()  # families whose table of rules is there
        self.records: dict[str, NetworkRecord] = {}
        self._add_predefined()

    def _add_predefined(self) -> None:
        subnet = ipam.DEFAULT_POOLS[0][0]
        default = NetworkRecord(
            self._new_id("bridge"), "bridge", "bridge", [ipam_config.Config(subnet)], bridge="docker0", host=self.host
        )
        default.pools = [ipam.AddressPool(default.configs[0], f"bridge ({default.id})")]
        none, host = (
            NetworkRecord(self._new_id(name), name, driver, host=self.host)
            for name, driver in (("none", "null"), ("host", "host"))
        )
        self.records = {record.name: record for record in (default, host, none)}
        for record in self.records.values():
            record.created = time.time()

    def _new_id(self, name: str) -> str:
        self._serial += 1
        return container_id("network", f"{self.host}/{name}", self._serial)

    @property
    def default(self) -> NetworkRecord:
        """The network `bridge`, on docker0."""
        return self.records["bridge"]

    def find(self, name: str) -> NetworkRecord:
        """Return the network of that name or, if there is none, with that beginning of its id; raises NotFound."""
        if name in self.records:
            return self.records[name]
        found = [record for record in self.records.values() if name and record.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        raise NotFound(f"network {name} not found. There are: {', '.join(self.records)}")

    # ── made and removed ───────────────────────────────────────────────────────────────────────────────────────────

    def create(self, wanted: Wanted, *, identifier: str | None = None) -> NetworkRecord:
        """Make a network, with an id of its own unless one is given; nothing has changed when that fails.

        Raises NameTaken, RequestError, KernelRefused.
        """
        if wanted.name in (*PREDEFINED, "default"):
            raise RequestError("operation is not permitted on predefined bridge network")
        if wanted.name in self.records:
            raise NameTaken(f"network with name {wanted.name} already exists")
        if wanted.driver not in DRIVERS:
            raise RequestError(f'plugin "{wanted.driver}" not found. There are: {", ".join(DRIVERS)}')
        if wanted.driver in ("host", "null"):
            raise RequestError(f'only one instance of "{wanted.driver}" network is allowed')
        if wanted.driver == "overlay":
            record, operations = self.swarm.create(wanted)
            self._lab.note(f"network {record.name}", operations)
            return self.records[record.name]
        record = self._record(wanted, identifier)
        self._check_options(record)
        operations = self._make(record)
        self.records[record.name] = record
        self._lab.note(f"network {record.name}", operations)
        return record

    def gateway_bridge(self) -> tuple[NetworkRecord, list[ops.Operation]]:
        """Return docker_gwbridge, by which containers on overlay networks reach the outside, and what makes it.

        Raises RequestError. `keep` it when it is made.
        """
        record = self._record(Wanted(overlay.GATEWAY_NETWORK, options=overlay.GATEWAY_OPTIONS))
        self._check_options(record)
        return record, [*self.prepare(record), *self.making(record)]

    def keep(self, record: NetworkRecord) -> None:
        """Know a bridge network that has been made."""
        self._prepared |= {rules.family_of(str(pool.subnet)) for pool in record.pools}
        self.records[record.name] = record

    def _record(self, wanted: Wanted, identifier: str | None = None) -> NetworkRecord:
        asked = ipam_config.validate(wanted.configs, ipv6=wanted.ipv6)
        ipam_config.one_per_family(asked)
        identifier = identifier or self._new_id(wanted.name)
        taken = self._taken_subnets()
        # Only other networks are in the way of a subnet that was asked for: on the host's own one, too, it may be.
        others = [pool.subnet for record in self.records.values() for pool in record.pools]
        configs = [
            ipam_config.Config(
                str(ipam.claim_subnet(one.network, others if int(one.network.network_address) else taken)),
                one.ip_range,
                one.gateway,
                one.aux_addresses,
            )
            for one in asked
        ]
        for version, pools in ((4, ipam.DEFAULT_POOLS), (6, (ipam.ula_pool(self.host),))):
            if (version == 4 or wanted.ipv6) and not any(one.network.version == version for one in configs):
                configs.append(ipam_config.Config(str(ipam.choose_subnet(taken, pools))))
        name = ""
        if wanted.driver == "bridge":
            name = check_interface(wanted.options.get(_NAME_OPTION) or f"br-{identifier[:12]}")
            self._check_bridge_name(name)
        return NetworkRecord(
            identifier,
            wanted.name,
            wanted.driver,
            configs,
            [
                ipam.AddressPool(one, f"{wanted.name} ({identifier})", gateway=not _alone(wanted, one))
                for one in configs
            ],
            bridge=name,
            internal=wanted.internal,
            ipv6=wanted.ipv6,
            chosen_by_user=bool(asked),
            labels=dict(wanted.labels),
            options=dict(wanted.options),
            created=time.time(),
            host=self.host,
        )

    def _check_options(self, record: NetworkRecord) -> None:
        """Refuse options whose value makes no sense, or that this kernel cannot do; raises RequestError."""
        mtu = record.options.get(_MTU_OPTION, "0")
        if not mtu.isdecimal():
            raise RequestError(
                f'failed to parse {_MTU_OPTION} value: {mtu} (strconv.Atoi: parsing "{mtu}": invalid syntax)'
            )
        if record.driver == "macvlan":
            parent = macvlan.network(self.host, record.options).parent
            if self._world.route_socket(self.host).index_of(parent) is None:
                raise RequestError(f"-o parent interface was not found on the host: {parent}")
        if not record.icc:
            try:
                self._world.read_file(self.host, "/proc/sys/net/bridge/bridge-nf-call-iptables")
            except OSError:
                raise RequestError(
                    say(
                        en="enable_icc=false needs packets within a bridge to pass the rules, and this kernel cannot do "
                        "that: net.bridge.bridge-nf-call-iptables is missing (module br_netfilter)",
                        ja="enable_icc=false では、ブリッジ内のパケットにもルールを適用する必要があります。"
                        "このカーネルではできません。"
                        "net.bridge.bridge-nf-call-iptables がありません (モジュール br_netfilter)。",
                    )
                ) from None

    def _check_bridge_name(self, name: str) -> None:
        for record in self.records.values():
            if record.bridge == name:
                raise RequestError(
                    f"conflicts with network {record.id} ({record.name}): networks have same bridge name"
                )

    def _taken_subnets(self) -> list[ipam_config.Network]:
        """Return what no new subnet may overlap: networks, and what the host reaches without a gateway."""
        taken = [pool.subnet for record in self.records.values() for pool in record.pools]
        for route in observe.routes(self._world.route_socket(self.host)):
            if route.gateway is None and route.destination != "default":
                subnet = ipam_config.Config(route.destination).network
                if subnet not in taken and not subnet.is_link_local:
                    taken.append(subnet)
        return taken

    def wiring(self, record: NetworkRecord, endpoint: bridge.Endpoint) -> list[ops.Operation]:
        """Return the operations that connect a container's namespace to a network: what its driver says."""
        if record.driver == "overlay":
            return self.swarm.wiring(record, endpoint)
        if record.driver == "macvlan":
            return macvlan.connect(macvlan.network(self.host, record.options), endpoint)
        return bridge.connect(self.spec(record), endpoint)

    def spec(self, record: NetworkRecord) -> bridge.BridgeNetwork:
        """Return a network as the bridge driver wants it."""
        bare = record.options.get(_BARE_OPTION) == "true"
        gateways = [
            pool.with_length(pool.gateway)
            for pool in record.pools
            if pool.gateway and not (bare and pool.subnet.version == 4)
        ]
        default = record.name == "bridge"
        return bridge.BridgeNetwork(
            self.host,
            record.bridge,
            made_up_mac("docker0" if default else record.id),
            tuple(gateways),
            index=_DOCKER0_INDEX if default else 0,
            mtu=record.mtu,
        )

    def making(self, record: NetworkRecord) -> list[ops.Operation]:
        """Return the operations that make a network: the bridge and its rules."""
        if record.driver != "bridge":
            return []
        operations = bridge.make(self.spec(record))
        operations += [ops.NftRules(self.host, change.script, change.undo) for change in self._rule_changes(record)]
        if not record.icc:
            # Else packets between two ports of one bridge never come past the rules.
            operations.append(ops.SetSysctl(self.host, "net.bridge.bridge-nf-call-iptables", "1"))
        return operations

    def _rule_changes(self, record: NetworkRecord) -> list[rules.RuleChange]:
        """Return the rules of a bridge network, one change for each family of addresses."""
        networks = [
            rules.BridgeRules(
                record.bridge,
                str(pool.subnet),
                pool.gateway,
                record.internal,
                record.icc,
                record.masquerades,
                record.options.get(_HOST_ADDRESS_OPTION) if pool.subnet.version == 4 else None,
            )
            for pool in record.pools
        ]
        return [rules.network_made(network) for network in networks]

    def host_rules(self) -> list[rules.HostRule]:
        """Return the rules that are there for the host and its bridge networks."""
        changes = [rules.host_made(family) for family in sorted(self._prepared)]
        for record in self.records.values():
            changes += self._rule_changes(record) if record.driver == "bridge" else []
        return [rule for change in changes for rule in change.rules]

    def prepare(self, record: NetworkRecord) -> list[ops.Operation]:
        """Return what the host needs before its first network of a family: forwarding, and the table of rules."""
        operations: list[ops.Operation] = []
        for family in self._new_families(record):
            key = "net.ipv4.ip_forward" if family == "ip" else "net.ipv6.conf.all.forwarding"
            before = self._world.read_file(self.host, "/proc/sys/" + key.replace(".", "/")).strip()
            change = rules.host_made(family, forward_policy="drop" if before == "0" else "accept")
            operations += [
                ops.SetSysctl(self.host, key, "1", before),
                ops.NftRules(self.host, change.script, change.undo),
            ]
        return operations

    def make_default(self) -> None:
        """Make docker0, as the engine does when it starts."""
        self._make(self.default)

    def _make(self, record: NetworkRecord) -> list[ops.Operation]:
        families = self._new_families(record)
        operations = [*self.prepare(record), *self.making(record)]
        if families:  # last, as it cannot be undone without touching what a student may have in the same table
            script = "\n".join(rules.user_chain_made(family) for family in families)
            operations.append(ops.NftRules(self.host, script))
        apply(operations, self._world)
        self._prepared |= set(families)
        return operations

    def _new_families(self, record: NetworkRecord) -> list[str]:
        """Return the families of addresses that no bridge network had until now."""
        if record.driver != "bridge":
            return []
        return [family for pool in record.pools if (family := rules.family_of(str(pool.subnet))) not in self._prepared]

    def remove(self, name: str) -> None:
        """Remove a network that nobody is on; raises NotFound, RequestError."""
        record = self.find(name)
        if not record.user_defined:
            raise RequestError(f"{record.name} is a pre-defined network and cannot be removed")
        if record.driver == "overlay":
            self.swarm.remove(record)
            self._lab.note(f"no network {record.name}", [])
            return
        if record.name == overlay.GATEWAY_NETWORK and self.swarm.has_networks and not record.endpoints:
            raise RequestError(
                f"error while removing network: network {record.name} has active endpoints "
                '(name:"gateway_ingress-sbox" id:"ingress-sbox")'
            )
        if record.endpoints:
            users = ", ".join(f'name:"{one.container}" id:"{key[:12]}"' for key, one in record.endpoints.items())
            raise RequestError(f"error while removing network: network {record.name} has active endpoints ({users})")
        operations = [inverse for op in reversed(self.making(record)) if (inverse := op.inverse()) is not None]
        clear(self.making(record), self._world)
        if record.bridge and self._world.route_socket(self.host).index_of(record.bridge) is not None:
            raise RequestError(f"error while removing network: the bridge {record.bridge} cannot be deleted")
        del self.records[record.name]
        self._lab.note(f"no network {record.name}", operations)

    def _is_used(self, record: NetworkRecord) -> bool:
        if record.driver == "overlay":
            return self.swarm.is_used(record)
        return bool(record.endpoints) or (record.name == overlay.GATEWAY_NETWORK and self.swarm.has_networks)

    def prune(self) -> list[str]:
        """Remove all networks that a student made and nobody is on; return their names."""
        unused = [name for name, record in self.records.items() if record.user_defined and not self._is_used(record)]
        for name in unused:
            self.remove(name)
        return unused


def _alone(wanted: Wanted, config: ipam_config.Config) -> bool:
    """Whether nobody would have a gateway's address: an internal network whose bridge has none (28 and later)."""
    return wanted.internal and wanted.options.get(_BARE_OPTION) == "true" and config.network.version == 4
