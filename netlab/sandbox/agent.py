"""The agent: process 1 of the sandbox. Tiny, standard library only, one thread.

It makes namespaces, starts processes in them and hands over descriptors: sockets opened inside any namespace, and the
namespaces themselves. Everything that needs thought happens in the owner (`client`), which uses those descriptors.

The wire is a SEQPACKET socket: a request is one JSON object, a reply one JSON object with the same `id` and with
descriptors riding along (SCM_RIGHTS, unix(7)). A process that ends is told as an event, an object without `id`.

The sandbox must never outlive its owner. The agent watches two things: the end of the socket, and a pidfd of the owner,
because a fork of the owner may still hold the socket. When either speaks, the agent ends; as it is process 1, the kernel
ends every other process and, with the last of them, every namespace of the sandbox.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from netlab.sandbox import beginning, ground, nftables, nodes, processes, syscalls, wire
from netlab.sandbox.wire import MAX_MESSAGE, receive, send

Request = dict[str, Any]
Reply = tuple[Request, list[int]] | tuple[Request, list[int], int]  # fields, descriptors, and in whose name it comes


class Agent:
    """Serves one owner until that owner goes."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        self.control = control
        self.owner = owner
        self.nodes: dict[str, nodes.Node] = {}
        self.spawned: set[int] = set()
        self.home = nodes.Home()
        self.apart: dict[int, int] = {}  # children that answer a request themselves, and the request
        self.children_wake, self.wake = socket.socketpair()
        self.children_wake.setblocking(False)
        self.wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        self.verbs: dict[str, Callable[[Request, list[int]], Reply | None]] = {
            "node": self.make_node,
            "forget": self.forget_node,
            "rename": self.rename_node,
            "go": self.open_gate,
            "spawn": self.spawn,
            "signal": self.signal,
            "socket": self.open_socket,
            "nft": self.run_nft,
            "namespace": self.open_namespace,
            "listen": self.listen,
            "names": self.list_names,
            "write": self.write_file,
            "read": self.read_file,
            "processes": self.list_processes,
        }

    def serve(self) -> None:
        """Answer requests until the owner is gone."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.owner, select.POLLIN)
        poll.register(self.children_wake, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self.owner in ready:
                return
            if self.children_wake.fileno() in ready:
                self.reap()
            if self.control.fileno() in ready and not self.answer():
                return

    def answer(self) -> bool:
        """Answer one request; False at the end of the socket."""
        request, descriptors, _ = receive(self.control)
        if request is None:
            return False
        try:
            reply = self.verbs[request["verb"]](request, descriptors)
        except OSError as error:
            reply = {"error": error.errno or 0, "where": str(error.filename or "")}, []
        except Exception as error:  # noqa: BLE001 - the owner must hear of any fault; a dead agent would take the whole lab along
            reply = {"error": 0, "where": f"{type(error).__name__}: {error}"}, []
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if reply is not None:
            body, outgoing, *sender = reply
            send(self.control, {"id": request["id"], **body}, outgoing, *sender)
            for descriptor in outgoing:
                os.close(descriptor)
        return True

    def reap(self) -> None:
        """Collect what has ended and tell the owner of what it started."""
        try:
            while self.children_wake.recv(4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.end_what_is_left(pid)
            number = self.apart.pop(pid, None)
            if number is not None and status != 0:
                send(self.control, {"id": number, "error": 0, "where": f"ended with status {status}"})
            if pid in self.spawned:
                self.spawned.discard(pid)
                send(self.control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def end_what_is_left(self, pid: int) -> None:
        """When a node's first process has ended, end all others that run in the node, as an engine does, and its name."""
        for node in self.nodes.values():
            if node.pid == pid:
                if node.namespaces:
                    processes.end_all_in(node.namespaces, self.guests_of(node))
                if node.on:
                    with contextlib.suppress(OSError, KeyError):  # its host may have ended as well
                        nodes.unlink_name(self.nodes[node.on], node.name)

    def guests_of(self, host: nodes.Node) -> set[int]:
        """Return the mount namespaces of the nodes that share another's network: they outlive it, as with an engine."""
        found: set[int] = set()
        for node in self.nodes.values():
            if node.shares is host:
                with contextlib.suppress(OSError):  # it has ended
                    found |= set(processes.namespaces_of(node.pid, ["mnt"]).values())
        return found

    # ── verbs ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def make_node(self, request: Request, _: list[int]) -> Reply:
        """Make a node; the answer comes in the name of its first process, so that the owner learns its pid."""
        name = request["name"]
        if name in self.nodes:
            os.close(self.nodes.pop(name).pidfd)
        node = nodes.Node(name, nodes.write_files(name, request["files"]), tuple(request["own"]))
        node.shares = shared = self.nodes[request["shares"]] if request.get("shares") else None
        body, descriptors = nodes.start(node, request, self.home, shared)
        self.nodes[name] = node
        self.spawned.add(node.pid)
        if request.get("on"):
            node.on = request["on"]
            nodes.link_name(self.nodes[node.on], node)
        return body, descriptors, node.pid

    def forget_node(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Kill all that runs in a node and let go of its namespaces."""
        node = self.nodes.pop(request["name"])
        with contextlib.suppress(OSError):  # its first process may have ended already, and the others with it
            own = node.namespaces or processes.namespaces_of(node.pid, node.own)
            processes.end_all_in(own, self.guests_of(node))
            signal.pidfd_send_signal(node.pidfd, signal.SIGKILL)
        os.close(node.pidfd)
        if request.get("on"):
            nodes.unlink_name(self.nodes[request["on"]], node.name)
        return {}, []

    def rename_node(self, request: Request, _: list[int]) -> Reply:
        """Give a node another name."""
        node = self.nodes[request["name"]]
        nodes.rename(node, request["new"], self.nodes[node.on] if node.on else None)
        self.nodes[request["new"]] = self.nodes.pop(request["name"])
        return {}, []

    def open_gate(self, request: Request, _: list[int]) -> Reply:
        """Let a node's first process begin with its command."""
        node = self.nodes[request["name"]]
        if node.gate is not None:
            node.gate.close()
        return {}, []

    def spawn(self, request: Request, descriptors: list[int]) -> tuple[Request, list[int]]:
        """Start a command in a node, with the owner's descriptors as its standard streams."""
        node = self.nodes[request["name"]]
        node.namespaces = node.namespaces or processes.namespaces_of(node.pid, node.own)
        pid = nodes.spawn(node, request, descriptors)
        self.spawned.add(pid)
        return {"pid": pid}, []

    def signal(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Send a signal to a process (or, with a negative number, to its group)."""
        try:
            os.kill(request["pid"], request["signal"])
        except ProcessLookupError:
            return {"gone": True}, []
        return {}, []

    def open_socket(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Open a socket inside a namespace."""
        with nodes.inside(self.nodes[request["name"]], request.get("namespace")):
            opened = socket.socket(request["family"], request["type"], request["protocol"])
            with opened:
                if "bind" in request:
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    opened.bind(tuple(request["bind"]))
                return {}, [opened.detach()]

    def run_nft(self, request: Request, descriptors: list[int]) -> None:
        """Have nft's library run a script, given as a file, in a namespace; the forked child answers itself."""
        script = wire.read_file(descriptors[0])
        node = self.nodes[request["name"]]
        child = nodes.answer_apart(node, request, self.control, lambda: nftables.run(script))
        self.apart[child] = request["id"]

    def listen(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Hand over a Unix socket that listens at a path which only one node sees."""
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(f"/proc/{self.nodes[request['name']].pid}/root{request['path']}")
            opened.listen(16)
            return {}, [opened.detach()]

    def open_namespace(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Hand over a network namespace that has a name on a host, and a netlink socket opened in it."""
        node = self.nodes[request["name"]]
        with nodes.inside(node, request["namespace"]):
            namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            return {"inode": os.fstat(namespace).st_ino}, [namespace, route.detach()]

    def list_names(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """List the named network namespaces of a host that are not containers, all or only some: name and inode."""
        return {"names": nodes.named_namespaces(self.nodes[request["name"]], request["only"])}, []

    def write_file(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Write a file of a node's own (hosts, resolv.conf, hostname), or a kernel parameter of its namespace."""
        node = self.nodes[request["name"]]
        if request["path"].startswith("/proc/sys/"):
            with nodes.inside(node, request.get("namespace")):
                nodes.overwrite(request["path"], request["text"])
        else:
            nodes.overwrite(os.path.join(node.folder, request["path"]), request["text"])
        return {}, []

    def read_file(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """Read a file below /proc as a process in the namespace sees it."""
        with nodes.inside(self.nodes[request["name"]], request.get("namespace")), open(request["path"]) as file:
            return {"text": file.read(MAX_MESSAGE // 2)}, []

    def list_processes(self, request: Request, _: list[int]) -> tuple[Request, list[int]]:
        """List the processes of the sandbox: pid, network namespace, name, command line and (on request) sockets.

        The list comes as a file: that of a thousand containers does not fit a message.
        """
        found = processes.list_all(with_sockets=request.get("sockets", False))
        return {}, [wire.memory_file(json.dumps(found).encode())]


def main() -> None:
    """Run the agent on the descriptors named on the command line: control socket, pidfd of the owner."""
    control = socket.socket(fileno=int(sys.argv[2]))
    owner = int(sys.argv[3])
    for descriptor in (control.fileno(), owner):
        os.set_inheritable(descriptor, False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        features = ground.prepare(sys.argv[4])
    except OSError as error:
        send(control, {"id": 0, "error": error.errno or 0, "where": str(error.filename or "")})
        return
    features["identity_filter"] = syscalls.ignore_identity_changes()
    syscalls.set_title(beginning.AGENT_TITLE)
    agent = Agent(control, owner)
    send(control, {"id": 0, "features": features})
    nftables.load()
    nodes.warm_up()
    agent.serve()
