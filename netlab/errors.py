"""Every error netlab raises on purpose.

```
NetlabError
├── RequestError        what was asked cannot be done as asked; nothing was changed
│   ├── NameTaken       the name is in use
│   └── NotFound        there is nothing of that name (or it has gone)
├── KernelRefused       the kernel said no to one operation; what came before it was undone
├── CommandFailed       a command ended with a status other than zero, and that was asked to be an error
├── SandboxError        the sandbox cannot be started on this machine, or has ended
│   └── LabClosed       the lab has been closed, or its sandbox has died
└── MissingTool         a program that is needed is not installed
```

Each message says what was asked, what is wrong and what to do next. In a notebook it is shown without a traceback.
"""

from __future__ import annotations


class NetlabError(Exception):
    """Base of all errors that netlab raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in IPython: a traceback into netlab would not help a student."""
        return [f"{type(self).__name__}: {self}"]


class RequestError(NetlabError):
    """What was asked cannot be done as asked; nothing was changed."""


class NameTaken(RequestError):
    """The name is already in use."""


class NotFound(RequestError):
    """There is nothing of that name, or it has gone."""


class KernelRefused(NetlabError):
    """The kernel refused one operation; what came before it in the same request was undone.

    `errno` is the kernel's error number and `command` the `ip` or `nft` line of the refused operation.
    """

    def __init__(self, message: str, *, errno: int = 0, command: str = "") -> None:
        super().__init__(message)
        self.errno = errno
        self.command = command


class CommandFailed(NetlabError):
    """A command ended with a status other than zero, and the caller asked for that to be an error."""


class SandboxError(NetlabError):
    """The sandbox cannot be started on this machine, or has ended."""


class LabClosed(SandboxError):
    """The lab has been closed, or its sandbox has died."""


class MissingTool(NetlabError):
    """A program that is needed is not installed."""


def in_docker_words(error: BaseException) -> str:
    """Return what Docker says of an error of its engine, without what netlab adds for the reader of Python."""
    return str(error).partition(". There are: ")[0]
