"""A real Docker engine in namespaces of its own: nothing reaches the machine's network, and nothing is left.

Its host has the addresses of a lab's host, and the machine beside it those of a lab's internet. An engine also changes
what has no namespace: the kernel's limits of keys, which it finds read-only here; the tree of control groups, where it has
a branch of its own, cut off in the end; and it loads br_netfilter, which is unloaded again if it was not there before.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from world import HOST, NAME_SERVER, OUTSIDE, ROUTER, SITE, SITE_NAME, Done, World

_HERE = Path(__file__).parent
_DOCKER = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"  # the one that came with the engine
_BUSYBOX = Path("/bin/busybox")
_BRIDGE_FILTER = Path("/proc/sys/net/bridge")
_GROUPS = Path("/sys/fs/cgroup")
_START_SECONDS = 60
_COMMAND_SECONDS = 60

# Images by name: what they run, and what else is said of them.
_IMAGES = {
    "busybox": ['CMD ["sh"]'],
    "myapp": ['CMD ["sleep","1000000"]'],
    "nginx": ['CMD ["httpd","-f","-p","80","-h","/www"]', "EXPOSE 80"],
}


class NotHere(Exception):
    """This machine cannot run a real engine; the text says why."""


def why_not() -> str:
    """Return what this machine lacks for a real engine, or nothing."""
    if os.geteuid() != 0:
        return "a real engine needs root"
    for program, package in (("dockerd", "docker.io"), (_DOCKER, "docker.io"), (str(_BUSYBOX), "busybox-static")):
        if shutil.which(program) is None:
            return f"there is no {program}: apt-get install {package}"
    return ""


class RealEngine(World):
    """The engine of Debian's docker.io. It ends with `close`, or with this process."""

    def __init__(self) -> None:
        if lacking := why_not():
            raise NotHere(lacking)
        self._folder = Path(tempfile.mkdtemp(prefix="conformance-", dir="/var/tmp"))  # a disk: overlays need one
        self._had_bridge_filter = _BRIDGE_FILTER.exists()
        self._socket = self._folder / "socket"
        self._running: list[subprocess.Popen[bytes]] = []
        self._servers: list[int] = []
        self._in_swarm = False
        try:
            self._host = self._hold("--net", "--mount", "--uts", "--ipc")
            self._outside = self._hold("--net")
            self._wire()
            self._start()
            self._make_images()
        except BaseException:
            self.close()
            raise

    # ── start and stop ────────────────────────────────────────────────────────────────────────────────────────────

    def _spawn(self, *argv: str | os.PathLike[str], log: str = "log") -> subprocess.Popen[bytes]:
        """Start a process that ends with this one."""
        with (self._folder / log).open("ab") as out:
            started = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self._running.append(started)
        return started

    def _hold(self, *kinds: str) -> int:
        """Make namespaces; return the process that holds them."""
        holder = self._spawn("unshare", *kinds, "sleep", "infinity")
        own = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + 10
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == own:
            if time.monotonic() > deadline or holder.poll() is not None:
                raise NotHere("this machine gives no namespaces: " + (self._folder / "log").read_text())
            time.sleep(0.01)
        return holder.pid

    def _wire(self) -> None:
        """Connect the host with the machine beside it, which is the internet as well."""
        (self._folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        self._set_up(
            self._host,
            "mount -t tmpfs tmpfs /run",
            "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys",
            "mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net",
            f"mount --bind {self._folder}/resolv.conf /etc/resolv.conf",
            "hostname host",
            "ip link set lo up",
            f"ip link add eth0 type veth peer name eth0 netns {self._outside}",
            f"ip address add {HOST}/24 broadcast + dev eth0",
            "ip link set eth0 up",
            f"ip route add default via {ROUTER}",
        )
        self._set_up(
            self._outside,
            "ip link set lo up",
            f"ip address add {OUTSIDE}/24 dev eth0",
            f"ip address add {ROUTER}/24 dev eth0",
            f"ip address add {SITE}/32 dev lo",
            f"ip address add {NAME_SERVER}/32 dev lo",
            "ip link set eth0 up",
        )
        names = {SITE_NAME: SITE, "example.com": SITE, "client.example.net": OUTSIDE, "host.example.net": HOST}
        self._spawn(
            *("nsenter", "--target", str(self._outside), "--net", sys.executable, _HERE / "name_server.py"),
            *(json.dumps(names), NAME_SERVER),
            log="names.log",
        )

    def _set_up(self, holder: int, *lines: str) -> None:
        done = self._at(holder, " && ".join(lines))
        if done.status:
            raise NotHere(f"the engine's host cannot be made: {done.stderr}")

    def _start(self) -> None:
        daemon = self._spawn(
            *("nsenter", "--target", str(self._host), "--net", "--mount", "--uts", "--ipc", "dockerd"),
            *("--data-root", self._folder / "data", "--exec-root", self._folder / "exec"),
            *("--host", f"unix://{self._socket}", "--pidfile", self._folder / "pid"),
            *("--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{self._folder.name}"),
        )
        deadline = time.monotonic() + _START_SECONDS
        while self.docker("version").status:
            if daemon.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "log").read_text(errors="replace").strip().splitlines()
                raise NotHere(f"dockerd does not start: {words[-1] if words else 'it says nothing'}")
            time.sleep(0.1)

    def _make_images(self) -> None:
        root = self._folder / "root"
        for folder in ("bin", "www", "etc", "tmp"):
            (root / folder).mkdir(parents=True)
        shutil.copy(_BUSYBOX, root / "bin/busybox")
        applets = subprocess.run([_BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
        for applet in set(applets) - {"busybox"}:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "www/index.html").write_text("Welcome!\n")
        archive = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True).stdout
        for image, changes in _IMAGES.items():
            argv = [word for change in changes for word in ("-c", change)]
            subprocess.run(
                [_DOCKER, "import", *argv, "-", image],
                env=self._environment,
                input=archive,
                capture_output=True,
                timeout=_COMMAND_SECONDS,
                check=True,
            )

    def clear(self) -> None:
        """Remove what a scenario has made."""
        for pid in self._servers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self._servers.clear()
        made = self.docker("ps -aq").stdout.split()
        if made:
            self.docker(f"rm -f {' '.join(made)}")
        if self._in_swarm:
            self.docker("swarm leave --force")
            self.docker("network rm docker_gwbridge")
            self._in_swarm = False
        self.docker("network prune -f")

    def close(self) -> None:
        """Stop the engine and all that belongs to it, and remove its files."""
        if self._socket.exists():
            self.clear()
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for branch in (*_GROUPS.glob(self._folder.name), *_GROUPS.glob(f"*/{self._folder.name}")):
            for folder, _, _ in os.walk(branch, topdown=False):
                Path(folder).rmdir()
        if not self._had_bridge_filter and _BRIDGE_FILTER.exists():
            subprocess.run(["modprobe", "--remove", "br_netfilter"], check=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    # ── what scenarios do ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": f"unix://{self._socket}", "LC_ALL": "C.UTF-8"}

    def docker(self, line: str) -> Done:
        return self._run([_DOCKER, *shlex.split(line)])

    def swarm(self) -> None:
        self._in_swarm = True
        self.must(f"swarm init --advertise-addr {HOST}")

    def iptables(self, table: str) -> list[str]:
        return self.host(f"iptables -t {table} -S").stdout.splitlines()

    def inside(self, container: str, line: str) -> Done:
        pid = self.must(f"inspect -f '{{{{.State.Pid}}}}' {container}").strip()
        return self._run(["nsenter", "--target", pid, "--net", "sh", "-c", line])

    def host(self, line: str) -> Done:
        return self._at(self._host, line)

    def outside(self, line: str) -> Done:
        return self._at(self._outside, line)

    def _at(self, holder: int, line: str) -> Done:
        kinds = ["--net", "--mount", "--uts"] if holder == self._host else ["--net"]
        return self._run(["nsenter", "--target", str(holder), *kinds, "sh", "-c", line])

    def _run(self, argv: list[str]) -> Done:
        try:
            done = subprocess.run(
                argv,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Done(124, "", f"no end within {_COMMAND_SECONDS} s")
        return Done(done.returncode, done.stdout, done.stderr)

    def serve(self, place: str, port: int, address: str = "::") -> None:
        super().serve(place, port, address)
        self._remember(place, f'ss -Hltnp "sport = :{port}"')

    def serve_udp(self, place: str, port: int) -> None:
        super().serve_udp(place, port)
        self._remember(place, f'ss -Hlunp "sport = :{port}"')

    def _remember(self, place: str, shows: str) -> None:
        """Note who serves: these processes have to be ended."""
        owner = self.at(place, shows).stdout
        self._servers += [int(pid) for pid in {word.partition(",")[0] for word in owner.split("pid=")[1:]}]
