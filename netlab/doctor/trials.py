"""The trials: each performs one thing that a lab does, and raises an error when this machine refuses it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass

from netlab import ops
from netlab.doctor.bench import PLACE, SEARCH_PATH, Bench, Refused, tried
from netlab.errors import MissingTool
from netlab.language import say
from netlab.sandbox import diagnosis
from netlab.view.svg import render

_NAT = (
    "add table ip doctor; "
    "add chain ip doctor post { type nat hook postrouting priority 100; }; "
    "add rule ip doctor post ip saddr 172.17.0.0/16 masquerade"
)
_ALL_PACKETS = 3  # ETH_P_ALL
_SECONDS = 2.0


def kernel() -> None:
    """Look at the kernel's version."""
    if diagnosis.kernel() < diagnosis.OLDEST_KERNEL:
        raise Refused(os.uname().release)


def user_namespace() -> None:
    """Make a user namespace, and be root in it."""
    tried([_unshare(), "--user", "--map-root-user", "true"])


def network_namespace() -> None:
    """Make a network namespace in a user namespace."""
    tried([_unshare(), "--user", "--map-root-user", "--net", "true"])


def _unshare() -> str:
    """Find the program where the sandbox looks for it; raises MissingTool."""
    program = shutil.which("unshare", path=SEARCH_PATH)
    if program is None:
        raise MissingTool(say(en="`unshare` is not installed", ja="`unshare` がインストールされていません"))
    return program


def veth(bench: Bench) -> None:
    """Make a veth pair; lo is set up with it, as later trials need it."""
    bench.apply(ops.SetUp(PLACE, "lo"), ops.AddVeth(PLACE, "doctor0", "doctor1"))


def bridge(bench: Bench) -> None:
    """Make a bridge and attach one end of the veth pair."""
    bench.apply(ops.AddBridge(PLACE, "doctorbr"), ops.SetMaster(PLACE, "doctor0", "doctorbr"))


def sysctl(bench: Bench) -> None:
    """Switch forwarding on."""
    bench.apply(ops.SetSysctl(PLACE, "net.ipv4.ip_forward", "1"))


def nat(bench: Bench) -> None:
    """Make a masquerade rule."""
    bench.apply(ops.NftRules(PLACE, _NAT))


def capture(bench: Bench) -> None:
    """Catch a packet on lo with a packet socket."""
    with (
        bench.world.open_socket(PLACE, socket.AF_PACKET, socket.SOCK_RAW, 0) as catcher,
        bench.world.open_socket(PLACE, socket.AF_INET, socket.SOCK_DGRAM, 0) as sender,
    ):
        catcher.bind(("lo", _ALL_PACKETS))
        catcher.settimeout(_SECONDS)
        sender.sendto(b"netlab", ("127.0.0.1", 9))
        catcher.recv(256)


def ipv6(bench: Bench) -> None:
    """Send something from ::1 to ::1."""
    with bench.world.open_socket(PLACE, socket.AF_INET6, socket.SOCK_DGRAM, 0) as both:
        both.bind(("::1", 0))
        both.settimeout(_SECONDS)
        both.sendto(b"netlab", both.getsockname())
        both.recv(64)


def vxlan(bench: Bench) -> None:
    """Make a VXLAN interface."""
    bench.run("ip", "link", "add", "doctorvx", "type", "vxlan", "id", "7", "dstport", "4789", "local", "127.0.0.1")


def macvlan(bench: Bench) -> None:
    """Make a macvlan interface on an end of the veth pair."""
    bench.run("ip", "link", "add", "doctormv", "link", "doctor1", "type", "macvlan", "mode", "bridge")


def own_proc(bench: Bench) -> None:
    """Ask whether /proc could be mounted anew."""
    _feature(bench, "own_proc")


def read_only(bench: Bench) -> None:
    """Ask whether the machine's files could be made read-only."""
    _feature(bench, "read_only")


def _feature(bench: Bench, name: str) -> None:
    if not bench.features.get(name):
        raise Refused(say(en="refused when the sandbox was made", ja="サンドボックスを作るときに拒否されました"))


def dot(_: Bench) -> None:
    """Draw a picture."""
    render("digraph { lab }")


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial with its title; `feature` is the kernel's part that it stands for, and `needed_for` as in a finding."""

    name: str
    perform: Callable[[Bench], None]
    en: str
    ja: str
    feature: str = ""
    needed_for: tuple[str, str] | None = None


_OVERLAY = ("networks across hosts (overlay)", "ホストをまたぐネットワーク (overlay)")
_MACVLAN = ("the macvlan driver", "macvlan ドライバ")
_IPV6 = ("IPv6 in labs", "ラボの IPv6")
_PROC = ("process lists that show the lab alone", "ラボだけのプロセス一覧")
_PROTECTION = ("protection of your files from commands in a lab", "ラボのコマンドからのファイルの保護")
_TERMINAL = ("`netlab exec` and `netlab shell`", "`netlab exec` と `netlab shell`")

TRIALS = (
    Trial("veth", veth, "veth pair", "veth ペア", "veth"),
    Trial("bridge", bridge, "bridge", "ブリッジ", "bridge"),
    Trial("sysctl", sysctl, "sysctl (net.ipv4.ip_forward)", "sysctl (net.ipv4.ip_forward)"),
    Trial("nat", nat, "NAT rule (nftables)", "NAT ルール (nftables)", "nft_masq"),
    Trial("capture", capture, "packet capture (AF_PACKET)", "パケットキャプチャ (AF_PACKET)", "af_packet"),
    Trial("dot", dot, "diagrams (dot)", "図 (dot)"),
    Trial("terminal", Bench.enter, "entering from a terminal", "ターミナルから入る", needed_for=_TERMINAL),
    Trial("own_proc", own_proc, "a /proc of its own", "独自の /proc", needed_for=_PROC),
    Trial("read_only", read_only, "read-only files", "ファイルの読み取り専用化", needed_for=_PROTECTION),
    Trial("ipv6", ipv6, "IPv6", "IPv6", "ipv6", _IPV6),
    Trial("vxlan", vxlan, "VXLAN", "VXLAN", "vxlan", _OVERLAY),
    Trial("macvlan", macvlan, "macvlan", "macvlan", "macvlan", _MACVLAN),
)


def is_installed(program: str, path: str) -> bool:
    """Whether a program is found where commands in a lab look for it."""
    return shutil.which(program, path=path) is not None
