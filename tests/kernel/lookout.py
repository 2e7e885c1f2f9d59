"""Looks at a whole lab from outside, again and again: with `ip`, nft's own library, the kernel's /proc, and questions of DNS.

`Lookout(lab).look(questions)` returns what is there in the host and in every namespace that has a name on it. Behind it
runs this same file as a program, in the lab's user and network namespaces but not among its processes. It enters one
namespace after the other, which is what makes a look of everything after each of 10,000 operations possible, and it keeps
none of them. It knows nothing of netlab, and takes nothing but the numbers of two processes: the host's and the agent's.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import dns.message
import dns.rdatatype

_CLONE_NEWNET = 0x40000000
_JSON, _NUMERIC_PRIORITY = 1 << 4, 1 << 8  # libnftables(3)
_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP = 4, 20, 0x301
_LISTENS, _UNCONNECTED = 10, 7  # TCP_LISTEN and, for UDP, TCP_CLOSE
_PARAMETERS = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
_ANSWER_SECONDS = 1.0


class Lookout:
    """The owner's end of it."""

    def __init__(self, lab, agent: int) -> None:
        host = lab.world.entry("host").machine_pid
        apart = [] if _inode(f"/proc/{host}/ns/user") == _inode("/proc/self/ns/user") else ["--user"]
        into = ["nsenter", "--target", str(host), *apart, "--preserve-credentials", "--net"]
        self._process = subprocess.Popen(
            [*into, sys.executable, __file__, str(host), str(agent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def look(self, questions=()) -> dict:
        """Return what is there, and the answers to questions: pairs of a place and a list of (name, kind of record)."""
        self._process.stdin.write(json.dumps(list(questions)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the lookout has ended"
        return json.loads(line)

    def close(self) -> None:
        """Let the program end."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def _inode(path: str) -> int:
    return os.stat(path).st_ino  # noqa: PTH116 - a link of /proc, followed


# ── the program ────────────────────────────────────────────────────────────────────────────────────────────────────

_libc = ctypes.CDLL(None, use_errno=True)


class _Nft:
    """The library behind `nft`: lists the rules of the namespace that the caller is in."""

    def __init__(self) -> None:
        library = self._library = ctypes.CDLL("libnftables.so.1")
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
        for name in ("nft_ctx_buffer_output", "nft_ctx_get_output_buffer", "nft_ctx_free"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
        library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]

    def rules(self) -> str:
        library = self._library
        context = library.nft_ctx_new(0)
        try:
            library.nft_ctx_buffer_output(context)
            library.nft_ctx_output_set_flags(context, _JSON | _NUMERIC_PRIORITY)
            status = library.nft_run_cmd_from_buffer(context, b"list ruleset")
            assert status == 0, "nft cannot list the rules"
            return library.nft_ctx_get_output_buffer(context).decode()
        finally:
            library.nft_ctx_free(context)


class _Program:
    def __init__(self, host: int, agent: int) -> None:
        self.root, self.agent = f"/proc/{host}/root", agent
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.nft = _Nft()
        self.script = Path(f"/proc/{os.getpid()}/fd/{os.memfd_create('look')}")
        self.script.write_text("address show\nroute show table all\n")

    def look(self, questions: list) -> dict:
        asked = dict(questions)
        names = self.names()
        begun, places = {}, {}
        for name, path in {"host": "/proc/self/ns/net", **names}.items():
            # One may go in this moment; the next look will say so.
            with contextlib.suppress(FileNotFoundError), self.inside(path):
                begun[name] = subprocess.Popen(
                    ["ip", "-j", "-d", "-batch", str(self.script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                places[name] = {"inode": _inode("/proc/thread-self/ns/net"), "sockets": sockets()}
                if asked.get(name):
                    places[name]["answers"] = answers(asked[name])
                places[name]["rules"] = json.loads(self.nft.rules())["nftables"]
        for name, process in begun.items():
            said, complaint = process.communicate()
            assert not complaint, complaint
            decoder, text = json.JSONDecoder(), said.decode().lstrip()
            links, end = decoder.raw_decode(text)
            rest = text[end:].strip()
            places.setdefault(name, {}).update(links=links, routes=json.loads(rest) if rest else [])
        parameters = {key: Path("/proc/sys/net", key).read_text().strip() for key in _PARAMETERS}
        return {"places": places, "parameters": parameters, **self.processes()}

    def names(self) -> dict[str, str]:
        """Return where the named namespaces of the host are: a bind mount each, or a link to a process's namespace."""
        found = {}
        for one in sorted(Path(self.root, "run/netns").glob("*")):
            target = self.root + str(one.readlink()) if one.is_symlink() else str(one)
            found[one.name] = target
        return found

    @contextlib.contextmanager
    def inside(self, path: str):
        there = os.open(path, os.O_RDONLY)
        try:
            if _libc.setns(there, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {path}")
            try:
                yield
            finally:
                _libc.setns(self.home, _CLONE_NEWNET)
        finally:
            os.close(there)

    def processes(self) -> dict[str, list]:
        """Return the command lines of the agent and all processes below it, and how many descriptors each has open."""
        waiting, found, descriptors = [self.agent], [], []
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
                if not stat.startswith("Z"):
                    found.append(Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ").replace(b"\0", b" ").decode())
                    descriptors.append([found[-1], len(os.listdir(f"/proc/{pid}/fd"))])  # noqa: PTH208 - quicker
                waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return {"processes": sorted(found), "descriptors": sorted(descriptors)}


def sockets() -> list[list]:
    """Return who listens where: protocol, address and port; by the kernel's sock_diag(7), as `ss` does."""
    found = []
    for protocol, number, state in (("tcp", socket.IPPROTO_TCP, _LISTENS), ("udp", socket.IPPROTO_UDP, _UNCONNECTED)):
        for family in (socket.AF_INET, socket.AF_INET6):
            wanted = struct.pack("=BBBxI48x", family, number, 0, 1 << state)
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asking:
                head = struct.pack("=IHHII", 16 + len(wanted), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
                asking.send(head + wanted)
                found += [[protocol, *one] for one in _listeners(asking, family)]
    return sorted(found)


def _listeners(asking: socket.socket, family: int):
    while True:
        received, at = asking.recv(1 << 16), 0
        while at < len(received):
            length, kind = struct.unpack_from("=IH", received, at)
            if kind != _SOCK_DIAG_BY_FAMILY:
                return  # the end
            (port,) = struct.unpack_from("!H", received, at + 20)
            raw = received[at + 24 : at + 24 + (16 if family == socket.AF_INET6 else 4)]
            yield socket.inet_ntop(family, raw), port
            at += (length + 3) & ~3


def answers(questions: list) -> list[list]:
    """Ask 127.0.0.11 for names, from where the caller is, and return the records; None where no answer came."""
    open_ones = {}
    found = [[name, kind, None] for name, kind in questions]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.11", 53))
        for number, (name, kind) in enumerate(questions):
            query = dns.message.make_query(name, kind)
            query.id = number + 1
            open_ones[query.id] = number
            asking.send(query.to_wire())
        deadline = time.monotonic() + _ANSWER_SECONDS
        while open_ones:
            asking.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                reply = dns.message.from_wire(asking.recv(65535))
            except OSError:
                break
            number = open_ones.pop(reply.id, None)
            if number is not None:
                found[number][2] = sorted(str(one) for rrset in reply.answer for one in rrset)
    return found


def main() -> None:
    """Look whenever a line comes."""
    program = _Program(int(sys.argv[1]), int(sys.argv[2]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(program.look(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
