"""The base of all places: run commands there, ask what is there, change it by hand."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from netlab import observer, ops
from netlab.addressing import check_address, check_destination
from netlab.capture.capture import Capture
from netlab.errors import NotFound, RequestError
from netlab.kernel import observe
from netlab.language import say
from netlab.model import ForwardingEntry, Interface, Neighbour, Process, Route, Rule, Socket
from netlab.names import check_interface
from netlab.places.home import Home
from netlab.places.link import Link
from netlab.places.results import HttpResult, PingResult, Result, read_curl, read_ping
from netlab.sandbox.command import Hear
from netlab.view.tables import Table

_PARAMETER_ROOTS = ("net.", "net/")


class Place:
    """A place where commands can run: a network namespace, with the processes in it."""

    def __init__(self, lab: Home, name: str) -> None:
        self._lab = lab
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.name}>"

    # ── running commands ───────────────────────────────────────────────────────────────────────────────────────────

    def sh(self, command: str, *, check: bool = False, timeout: float | None = 60, hear: Hear | None = None) -> Result:
        """Run a shell command here and return what it said.

        A status other than zero is part of the result; with `check=True` it raises CommandFailed. A command that takes
        longer than `timeout` seconds is killed. `hear(stream, text)` gets the output while it comes.
        """
        if not isinstance(command, str) or not command.strip():
            raise RequestError(
                say(
                    en='There is no command to run. Write it as in sh("ip addr")',
                    ja='実行するコマンドがありません。sh("ip addr") のように書いてください。',
                )
            )
        try:
            folder = str(Path.cwd())
        except FileNotFoundError:
            folder = "/"  # the folder that the notebook was started in has been deleted
        done = self._lab.world.run_command(
            self.name, ["/bin/sh", "-c", command], timeout=timeout, hear=hear, folder=folder
        )
        self._lab.world.let_go_of_deleted()
        result = Result(command, self.name, done.returncode, done.stdout, done.stderr, done.timed_out)
        return result.check() if check else result

    def ping(self, target: str | Place, *, count: int = 1, timeout: float = 1) -> PingResult:
        """Send `count` echo requests to an address or a name and wait up to `timeout` seconds for each answer (ping(8))."""
        address = target.main_address if isinstance(target, Place) else str(target)
        argv = ["ping", "-n", "-c", str(count), "-W", f"{timeout:g}", "-i", "0.2", "--", address]
        done = self._run(argv, timeout=10 + count * (timeout + 1))
        return read_ping(address, self.name, count, done.stdout + done.stderr)

    def http(self, url: str, *, timeout: float = 3) -> HttpResult:
        """Ask for a web page, as a browser here would, and wait up to `timeout` seconds (curl(1))."""
        argv = [
            "curl",
            "--silent",
            "--show-error",
            "--verbose",
            "--include",
            "--noproxy",
            "*",
            "--max-time",
            f"{timeout:g}",
            "--",
            url,
        ]
        done = self._run(argv, timeout=timeout + 10)
        return read_curl(url, self.name, done.returncode, done.stdout, done.stderr)

    def capture(self, expression: str = "", *, also: Sequence[str | Place] = ()) -> Capture:
        """Capture the packets on every interface here, and in the places `also`, until it is stopped.

        `expression` is a filter as for tcpdump(8). To be used as `with web.capture("tcp port 80") as seen: …`, or until
        `seen.stop()`; `.live()` shows the packets while they come. Raises RequestError for a wrong filter.
        """
        others = [one.name if isinstance(one, Place) else "client" if one == "internet" else one for one in also]
        return Capture(self._lab.world, [self.name, *others], expression)

    def shell(self) -> Shell:
        """Return the line that opens a shell here when it is pasted into a terminal."""
        self._lab.world.entry(self.name)
        return Shell(self._lab.name, self.name)

    def _run(self, argv: Sequence[str], timeout: float) -> Result:
        done = self._lab.world.run_command(self.name, argv, timeout=timeout)
        return Result(shlex.join(argv), self.name, done.returncode, done.stdout, done.stderr, done.timed_out)

    # ── what is here ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def inode(self) -> int:
        """The number of this place's network namespace: equal numbers, same namespace."""
        return self._lab.world.entry(self.name).inode

    @property
    def interfaces(self) -> Table[Interface]:
        """The network interfaces (`ip address`)."""
        return Table(observer.interfaces_of_all(self._lab.world)[self._here()])

    @property
    def routes(self) -> Table[Route]:
        """The main routing table (`ip route`)."""
        return Table(observe.routes(self._lab.world.route_socket(self.name)))

    @property
    def neighbours(self) -> Table[Neighbour]:
        """The table of hardware addresses of neighbours (`ip neigh`)."""
        return Table(observe.neighbours(self._lab.world.route_socket(self.name)))

    @property
    def forwarding(self) -> Table[ForwardingEntry]:
        """The forwarding tables of the bridges here (`bridge fdb`)."""
        return Table(observe.forwarding(self._lab.world.route_socket(self.name)))

    @property
    def rules(self) -> Table[Rule]:
        """The nftables rules (`nft list ruleset`)."""
        rules = [rule for chain in observer.chains(self._lab.world, self.name) for rule in chain.rules]
        return Table(rules)

    @property
    def sockets(self) -> Table[Socket]:
        """The sockets that listen here (`ss -tulnp`)."""
        return Table(observer.listening_sockets(self._lab.world, self.name))

    @property
    def processes(self) -> Table[Process]:
        """The processes in this network namespace (`ip netns pids NAME`)."""
        return Table(observer.processes_of(self._lab.world, self.name))

    @property
    def ip_forward(self) -> bool:
        """Whether packets are passed on from one interface to another here (`sysctl net.ipv4.ip_forward`)."""
        return observe.ip_forward(self._lab.world.route_socket(self.name))

    @property
    def main_address(self) -> str:
        """The first IPv4 address that is not the loopback's; raises NotFound when there is none."""
        for interface in self.interfaces:
            for address in interface.addresses:
                if address.family == 4 and interface.kind != "loopback":
                    return address.address
        raise NotFound(
            say(
                en=f'{self.name} has no address yet. Give it one: link("eth0").add_address("10.0.0.1/24")',
                ja=f'{self.name} には、まだアドレスがありません。割り当てるには: link("eth0").add_address("10.0.0.1/24")',
            )
        )

    def _here(self) -> str:
        return self._lab.world.entry(self.name).name

    # ── changing it by hand ────────────────────────────────────────────────────────────────────────────────────────

    def link(self, name: str) -> Link:
        """Return a handle on an interface that is here; raises NotFound."""
        check_interface(name)
        if self._lab.world.route_socket(self.name).index_of(name) is None:
            known = ", ".join(one.name for one in self.interfaces)
            raise NotFound(
                say(
                    en=f"There is no interface {name!r} in {self.name}. There are: {known}",
                    ja=f"{self.name} にインターフェース {name!r} はありません。あるもの: {known}",
                )
            )
        return Link(self._lab, self.name, name)

    def add_veth(self, name: str, peer: str, *, peer_place: Place | None = None) -> tuple[Link, Link]:
        """Make a veth pair: one end here, the other in `peer_place` (here too if that is left out). Both are down.

        Equivalent to: `ip link add name NAME type veth peer name PEER netns PEER_PLACE` (veth(4)).
        """
        there = peer_place.name if peer_place is not None else self.name
        check_interface(name)
        check_interface(peer)
        if there == self.name and name == peer:
            raise RequestError(
                say(
                    en=f"The two ends of a veth pair in one namespace need two names, not {name!r} twice.",
                    ja=f"veth ペアの両端が同じ名前空間にあるときは、両方を {name!r} にはできません。"
                    "別々の名前を付けてください。",
                )
            )
        self._lab.world.entry(there)
        operation = ops.AddVeth(self.name, name, peer, None if there == self.name else there)
        self._lab.change(say(en=f"veth pair {name} ↔ {peer}", ja=f"veth ペア {name} ↔ {peer}"), [operation])
        return Link(self._lab, self.name, name), Link(self._lab, there, peer)

    def add_bridge(self, name: str) -> Link:
        """Make a bridge here. It is down and has no ports.

        Equivalent to: `ip link add name NAME type bridge` (bridge(8)).
        """
        check_interface(name)
        self._lab.change(say(en=f"bridge {name}", ja=f"ブリッジ {name}"), [ops.AddBridge(self.name, name)])
        return Link(self._lab, self.name, name)

    def add_route(self, destination: str, *, via: str | None = None, dev: str | None = None) -> None:
        """Add a route to a subnet or to "default", by way of a gateway (`via`) or an interface (`dev`).

        Equivalent to: `ip route add DESTINATION via GATEWAY dev NAME` (ip-route(8)).
        """
        if via is None and dev is None:
            raise RequestError(
                say(
                    en='A route needs a way: via="10.0.0.254" (a gateway) or dev="eth0" (an interface).',
                    ja='経路には行き方が必要です。via="10.0.0.254" (ゲートウェイ) か dev="eth0" (インターフェース) を'
                    "指定してください。",
                )
            )
        title = say(en=f"route to {destination}", ja=f"{destination} への経路")
        self._route(ops.AddRoute, title, destination, via, dev)

    def remove_route(self, destination: str, *, via: str | None = None, dev: str | None = None) -> None:
        """Take a route away.

        Equivalent to: `ip route delete DESTINATION` (ip-route(8)).
        """
        title = say(en=f"no route to {destination}", ja=f"{destination} への経路を削除")
        self._route(ops.DeleteRoute, title, destination, via, dev)

    def _route(
        self, operation: type[ops.AddRoute], title: str, destination: str, via: str | None, dev: str | None
    ) -> None:
        checked = check_destination(destination)
        gateway = check_address(via) if via is not None else None
        name = check_interface(dev) if dev is not None else None
        self._lab.change(title, [operation(self.name, checked, gateway, name)])

    def sysctl(self, key: str, value: int | str | None = None) -> str:
        """Read a network parameter such as net.ipv4.ip_forward, or set it when a value is given; return its value.

        Equivalent to: `sysctl -w KEY=VALUE` (sysctl(8)).
        """
        if not isinstance(key, str) or not key.startswith(_PARAMETER_ROOTS) or ".." in key:
            raise RequestError(
                say(
                    en=f"{key!r} is not a network parameter. Write one as in net.ipv4.ip_forward",
                    ja=f"{key!r} はネットワークのパラメーターではありません。net.ipv4.ip_forward のように書いてください。",
                )
            )
        try:
            before = self._lab.world.read_file(self.name, "/proc/sys/" + key.replace(".", "/")).strip()
        except OSError:
            raise NotFound(
                say(
                    en=f"There is no parameter {key!r} here. See what there is: sysctl -a",
                    ja=f"ここに {key!r} というパラメーターはありません。何があるかを見るには: sysctl -a",
                )
            ) from None
        if value is None:
            return before
        self._lab.change(f"{key} = {value}", [ops.SetSysctl(self.name, key, str(value), before)])
        return str(value)

    def nft(self, script: str) -> None:
        """Change the rules here by a script in nft's own language, which is applied whole or not at all.

        Equivalent to: `nft -f -` with the script on standard input (nft(8)).
        """
        if not isinstance(script, str) or not script.strip():
            raise RequestError(
                say(
                    en='There are no rules to apply. Write them as in nft("add table ip lesson")',
                    ja='適用するルールがありません。nft("add table ip lesson") のように書いてください。',
                )
            )
        self._lab.change(say(en="nftables rules", ja="nftables のルール"), [ops.NftRules(self.name, script)])


class Shell:
    """The line that opens a shell in a place when it is pasted into a terminal."""

    def __init__(self, lab: str, place: str) -> None:
        program = Path(sys.executable).with_name("netlab")
        self.line = shlex.join([str(program), "shell", "--lab", lab, place])

    def __repr__(self) -> str:
        return self.line

    __str__ = __repr__
