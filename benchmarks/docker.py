"""A real Docker engine to compare with: Debian's, in namespaces of its own, which end with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from peers import NotMeasured

_START_SECONDS = 60
_BUSYBOX = Path("/bin/busybox")
_DAEMON = """
mount -t tmpfs tmpfs /run
ip link set lo up
exec dockerd --data-root "$1/data" --exec-root "$1/exec" --host "unix://$1/socket" --pidfile "$1/pid"
"""
_NAMESPACES = ["--net", "--mount", "--uts", "--ipc"]


class Engine:
    """A running engine with one image, `idle`."""

    def __init__(self, folder: Path, daemon: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._daemon = daemon
        self._made = 0

    def _docker(self, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self._folder}/socket"}
        return subprocess.run(
            ["docker", *arguments], env=environment, input=given, capture_output=True, timeout=120, check=True
        )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "log").read_text(errors="replace").strip().splitlines()
                raise NotMeasured(f"dockerd does not start: {words[-1] if words else 'it says nothing'}")
            with contextlib.suppress(subprocess.CalledProcessError):
                self._docker("version")
                return
            time.sleep(0.2)

    def make_image(self) -> None:
        """Make an image of busybox alone."""
        root = self._folder / "root"
        (root / "bin").mkdir(parents=True)
        shutil.copy(_BUSYBOX, root / "bin/busybox")
        archive = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True).stdout
        self._docker("import", "-c", 'CMD ["/bin/busybox","sleep","1000000"]', "-", "idle", given=archive)

    def run(self, count: int) -> float:
        """Run containers one after the other; return milliseconds for a hundred."""
        start = time.perf_counter()
        for _ in range(count):
            self._made += 1
            self._docker("run", "--detach", "--name", f"c{self._made}", "idle")
        return (time.perf_counter() - start) / count * 100 * 1000

    def clear(self) -> None:
        """Remove all containers."""
        made = self._docker("ps", "--all", "--quiet").stdout.decode().split()
        if made:
            self._docker("rm", "--force", *made)


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Start an engine in namespaces of its own; stop it and leave nothing behind."""
    if os.geteuid() != 0:
        raise NotMeasured("dockerd needs root")
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        raise NotMeasured("Docker is not installed: apt-get install docker.io")
    if not _BUSYBOX.exists() or subprocess.run(["ldd", _BUSYBOX], capture_output=True, check=False).returncode == 0:
        raise NotMeasured("there is nothing to make an image of: apt-get install busybox-static")
    folder = Path(tempfile.mkdtemp(prefix="benchmark-docker-", dir="/var/tmp"))  # a disk: overlays need one
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            ["unshare", *_NAMESPACES, "sh", "-c", _DAEMON, "sh", folder], stdout=log, stderr=log, start_new_session=True
        )
    started = Engine(folder, daemon)
    try:
        started.wait()
        started.make_image()
        yield started
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            started.clear()
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        shutil.rmtree(folder, ignore_errors=True)
