"""What a student has done so far, kept in one file of their own between sessions.

The file is `progress.json` in `$NETLAB_PROGRESS`, else in `netlab` below `$XDG_DATA_HOME` (`~/.local/share`; XDG Base
Directory Specification). Several notebooks may write to it at once. With `NETLAB_PROGRESS=off` (a demonstration, a test)
nothing is written, and what was done is forgotten with the process.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from netlab.language import say

_VERSION = 1

Record = dict[str, Any]


def _empty() -> Record:
    return {"version": _VERSION, "predictions": {}, "challenges": {}}


_of_process = _empty()  # where nothing is written


def path() -> Path | None:
    """Return where the progress is kept; None where it is not."""
    chosen = os.environ.get("NETLAB_PROGRESS")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen) / "progress.json"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "netlab" / "progress.json"


def read() -> Record:
    """Return what has been done: {"version", "predictions": {key: {…}}, "challenges": {key: {…}}}.

    A file that cannot be understood is set aside, with a warning that says where, and the course starts afresh.
    """
    file = path()
    if file is None:
        return copy.deepcopy(_of_process)
    try:
        record = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return _empty()
    except (ValueError, OSError) as error:
        return _set_aside(file, str(error))
    if not isinstance(record, dict) or record.get("version") != _VERSION:
        return _set_aside(file, "version")
    return {**_empty(), **record}


def _set_aside(file: Path, why: str) -> Record:
    aside = file.with_name(f"progress-{time.strftime('%Y%m%d-%H%M%S')}.json")
    with contextlib.suppress(OSError):
        file.rename(aside)
    warnings.warn(
        say(
            en=f"Your progress in {file} could not be read ({why}). It was kept as {aside.name}; the count starts again.",
            ja=f"{file} にある学習の記録を読み取れませんでした ({why})。{aside.name} として残し、記録を最初から始めます。",
        ),
        stacklevel=3,
    )
    return _empty()


def note(kind: str, key: str, **facts: Any) -> Record:
    """Write facts about one prediction or challenge, beside those that are known already, and return them all.

    Where the disk forbids it the course goes on, and a warning says that this will be forgotten.
    """

    def change(record: Record) -> None:
        one = record[kind].setdefault(key, {"first": _now()})
        one.update(facts, last=_now())

    return dict(_change(change)[kind][key])


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _change(change: Callable[[Record], None]) -> Record:
    file = path()
    if file is None:
        change(_of_process)
        return _of_process
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file.with_suffix(".lock")):
            record = read()
            change(record)
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")
            fresh.replace(file)
    except OSError as error:
        warnings.warn(
            say(
                en=f"Your progress cannot be kept in {file}: {error.strerror}. The chapter works all the same.",
                ja=f"学習の記録を {file} に保存できません: {error.strerror}。章はそのまま続けられます。",
            ),
            stacklevel=3,
        )
        record = _empty()
        change(record)
    return record


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
