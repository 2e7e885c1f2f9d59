"""A terminal to run a program in, as a person does: type, and read what appears."""

from __future__ import annotations

import os
import pty
import select
import signal
import time

_SECONDS = 15.0


class Terminal:
    """A program in a pseudo terminal (pty(7)), which is its controlling terminal."""

    def __init__(self, argv, **variables):
        self.text = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, {**os.environ, "TERM": "dumb", **variables})
            finally:
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def type(self, text):
        r"""Type a text; "\\x03" is Ctrl-C, "\\x1a" Ctrl-Z."""
        os.write(self.descriptor, text.encode())

    def read_until(self, wanted):
        """Read until a text appears; what comes after it is kept for the next time."""
        deadline = time.monotonic() + _SECONDS
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"{wanted!r} did not appear: {self.text!r}"
            self._read(deadline)
        before, _, self.text = self.text.partition(wanted)
        return before

    def _read(self, deadline):
        if select.select([self.descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            try:
                self.text += os.read(self.descriptor, 4096).decode(errors="replace")
            except OSError:  # EIO: nobody has the terminal open any more
                raise AssertionError(f"the program ended after {self.text!r}") from None

    def foreground(self):
        """Return the pid of the leader of the foreground process group."""
        return os.tcgetpgrp(self.descriptor)

    def wait(self):
        """Wait for the end of the program and return its status."""
        deadline = time.monotonic() + _SECONDS
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"the program did not end: {self.text!r}"
            if select.select([self.descriptor], [], [], 0.01)[0]:  # a full terminal would hold it up
                try:
                    self.text += os.read(self.descriptor, 4096).decode(errors="replace")
                except OSError:
                    time.sleep(0.01)
