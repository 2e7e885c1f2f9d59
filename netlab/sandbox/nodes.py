"""Nodes: processes with network, mount and host name of their own. Hosts, containers and servers are all nodes.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

from netlab.sandbox import beginning, roles
from netlab.sandbox.ground import OWN_FILES, RUN
from netlab.sandbox.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUTS,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    MS_SHARED,
    mount,
    setns,
    unshare,
)
from netlab.sandbox.wire import send

PATH = "/run/netlab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


_FLAGS = {"net": CLONE_NEWNET, "mnt": CLONE_NEWNS, "uts": CLONE_NEWUTS}
_ALL = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS


class Node:
    """One node: its first process, the folder with its own files, and which of its namespaces are its own."""

    def __init__(self, name: str, folder: str, own: tuple[str, ...]) -> None:
        self.name = name
        self.folder = folder
        self.own = own
        self.on: str | None = None  # the host that knows it by name
        self.shares: Node | None = None  # whose namespaces it has where they are not its own
        self.pid = 0
        self.pidfd = -1
        self.gate: socket.socket | None = None  # what its first process waits for, see roles.Role
        # Inodes of its own network and mount namespace, once something was started in it.
        self.namespaces: dict[str, int] | None = None


def warm_up() -> None:
    """Load what nodes will need and settle the memory, so that a fork is cheap and shares it."""
    roles.load()
    gc.collect()
    gc.freeze()
    gc.disable()


def write_files(name: str, files: dict[str, str]) -> str:
    """Write a node's own files and return their folder."""
    folder = f"{RUN}/nodes/{name}"
    os.makedirs(folder, exist_ok=True)
    for file_name, text in files.items():
        overwrite(os.path.join(folder, file_name), text)
    return folder


def overwrite(path: str, text: str) -> None:
    """Write a text into a file in place: a bind mount shows the same file to the node."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


# ── the node's own process ─────────────────────────────────────────────────────────────────────────────────────────


class Home:
    """The agent's own namespaces, to come back to after being elsewhere."""

    def __init__(self) -> None:
        self._holds = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _FLAGS]

    def come_back(self) -> None:
        """Enter them again."""
        for hold in self._holds:
            setns(hold, 0)


def start(node: Node, request: dict[str, Any], home: Home, shared: Node | None) -> tuple[dict[str, Any], list[int]]:
    """Make a node's namespaces and start its first process; return what the owner is told, and two descriptors.

    What is not the node's own it has together with the node `shared`.

    The agent itself goes into the new namespaces and forks there, as the last thing: the memory of a fork is shared until
    one side writes, so every step that the child need not do is a copy that need not be made. It halves the time of a node.
    """
    try:
        _enter_namespaces(node, request, shared)
        with contextlib.closing(roles.prepare(request["role"])) as role:
            node.pid = beginning.begin(request["title"], f"{node.folder}/log", role)
            node.gate = role.gate
        node.pidfd = os.pidfd_open(node.pid)
        namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    except OSError:
        if node.pid:
            os.kill(node.pid, signal.SIGKILL)  # a node that cannot be handed over must not stay
        raise
    finally:
        home.come_back()
    return {"pid": node.pid, "inode": os.fstat(namespace).st_ino}, [namespace, route.detach()]


def _enter_namespaces(node: Node, request: dict[str, Any], shared: Node | None) -> None:
    own = sum(_FLAGS[kind] for kind in node.own)
    if shared is not None and own != _ALL:
        setns(shared.pidfd, _ALL & ~own)
    if own:
        unshare(own)
    if "mnt" in node.own:
        _lay_own_files(node, request)
    if "uts" in node.own:
        socket.sethostname(request["hostname"])
    for key, value in request.get("sysctls", {}).items():
        with contextlib.suppress(OSError):  # not every kernel has every parameter
            overwrite(f"/proc/sys/{key}", value)


def _lay_own_files(node: Node, request: dict[str, Any]) -> None:
    for name in OWN_FILES:
        mount(f"{node.folder}/{name}", f"/etc/{name}", flags=MS_BIND)
    _mount_sys()
    if request.get("host"):
        mount("netns", "/run/netns", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
        mount("none", "/run/netns", flags=MS_SHARED)  # as `ip netns add` does: its names must reach `ip netns exec`
        _lay_docker()


def _lay_docker() -> None:
    """Put a program `docker` first in the host's PATH; the machine's own would find no engine here. Containers have none."""
    mount("bin", f"{RUN}/bin", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "docker.py")
    path = f"{RUN}/bin/docker"
    overwrite(path, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(program)} "$@"\n')
    os.chmod(path, 0o755)  # noqa: S103 - a program, for whoever is in the lab


def _mount_sys() -> None:
    """Show this namespace's interfaces below /sys/class/net. A container that masks /sys forbids it; /sys then stays."""
    with contextlib.suppress(OSError):
        mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)


# ── being inside ───────────────────────────────────────────────────────────────────────────────────────────────────


def netns_folder(node: Node) -> str:
    """Return the path, as the agent sees it, of a host's named namespaces."""
    return f"/proc/{node.pid}/root/run/netns"


def open_namespace(node: Node, namespace: str | None) -> int:
    """Open the network namespace of a node, or the one that has a name on it."""
    path = f"{netns_folder(node)}/{namespace}" if namespace else f"/proc/{node.pid}/ns/net"
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def inside(node: Node, namespace: str | None = None) -> Iterator[None]:
    """Have the agent itself in a network namespace for a moment."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    target = -1
    try:
        target = open_namespace(node, namespace)
        setns(target, CLONE_NEWNET)
        yield
    finally:
        setns(home, CLONE_NEWNET)
        for descriptor in (home, target):
            if descriptor >= 0:
                os.close(descriptor)


def named_namespaces(node: Node, only: list[str] | None) -> list[tuple[str, int]]:
    """List the namespaces that have a name on a host, by `ip netns add` or by netlab: name and inode."""
    folder = netns_folder(node)
    if only is None:
        with os.scandir(folder) as entries:
            names = [
                entry.name for entry in entries if not entry.is_symlink()
            ]  # links are containers, which netlab knows
    else:
        names = [name for name in only if os.path.exists(f"{folder}/{name}") and not os.path.islink(f"{folder}/{name}")]
    return sorted((name, os.stat(f"{folder}/{name}").st_ino) for name in names)


def link_name(host: Node, node: Node) -> None:
    """Let `ip netns` on a host know a container by its name: a link, as people make it by hand for Docker's."""
    path = f"{netns_folder(host)}/{node.name}"
    with contextlib.suppress(FileNotFoundError):
        if os.path.islink(path):
            os.unlink(path)
    os.symlink(f"/proc/{node.pid}/ns/net", path)


def unlink_name(host: Node, name: str) -> None:
    """Take that link away again."""
    path = f"{netns_folder(host)}/{name}"
    if os.path.islink(path):
        os.unlink(path)


def rename(node: Node, new: str, host: Node | None) -> None:
    """Give a node another name, on its host too; its own files stay the same files."""
    folder = f"{RUN}/nodes/{new}"
    if os.path.isdir(folder):  # left over from a node that has gone
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
    os.rename(node.folder, folder)
    if host is not None:
        unlink_name(host, node.name)
    node.name, node.folder = new, folder
    if host is not None:
        link_name(host, node)


def spawn(node: Node, request: dict[str, Any], streams: list[int]) -> int:
    """Start a command in a node, or in a namespace with a name on it, in a session of its own; return its pid."""
    namespace = open_namespace(node, request["namespace"]) if request.get("namespace") else -1
    pid = os.fork()
    if pid:
        if namespace >= 0:
            os.close(namespace)
        return pid
    try:
        beginning.leave_agent()
        setns(node.pidfd, CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS)
        if namespace >= 0:
            enter_named(namespace)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        become(request["argv"], request["folder"], request["environment"])
    except OSError as error:
        reason = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
        os.write(2, f"{request['argv'][0]}: {reason}\n".encode())
    finally:
        os._exit(127)


def answer_apart(
    node: Node, request: dict[str, Any], control: socket.socket, work: Callable[[], tuple[dict[str, Any], list[int]]]
) -> int:
    """Do a piece of work in a namespace, in a child that sends the answer itself: a crash there harms nobody else."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        setns(open_namespace(node, request.get("namespace")), CLONE_NEWNET)
        answer, descriptors = work()
        send(control, {"id": request["id"], **answer}, descriptors)
        status = 0
    except OSError as error:
        send(control, {"id": request["id"], "error": error.errno or 0, "where": str(error.filename or error)})
        status = 0
    finally:
        os._exit(status)


def enter_named(namespace: int) -> None:
    """Change to a network namespace that has a name, with a /sys of its own, as `ip netns exec` does (ip-netns(8))."""
    setns(namespace, CLONE_NEWNET)
    unshare(CLONE_NEWNS)
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    _mount_sys()


def become(argv: list[str], folder: str, environment: dict[str, str]) -> None:
    """Turn into a program, in a folder where that can be; raises OSError."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and a program would inherit that
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):  # the folder may be gone, or be one that a namespace cannot see
        os.chdir(folder)
    os.execvpe(argv[0], argv, {"PATH": PATH, **environment})
