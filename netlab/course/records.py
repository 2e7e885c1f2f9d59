"""What a student has done so far, kept in one file of their own between sessions.

The file is `progress.json` in `$NETLAB_PROGRESS`, else in `netlab` below `$XDG_DATA_HOME` (`~/.local/share`; XDG Base
Directory Specification). Several notebooks may write to it at once. With `NETLAB_PROGRESS=off` (a demonstration, a test)
and where there is no home nothing is written, and what was done is forgotten with the process.
"""

from __future__ import annotations

import contextlib
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
_KINDS = ("predictions", "challenges")

Record = dict[str, Any]


def _empty() -> Record:
    return {"version": _VERSION, **{kind: {} for kind in _KINDS}}


_of_process = _empty()  # what could not be written, or is not to be


def path() -> Path | None:
    """Return where the progress is kept; None where it is not."""
    chosen = os.environ.get("NETLAB_PROGRESS")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen) / "progress.json"
    try:
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    except RuntimeError:  # a user of no name, as in some containers
        return None
    return Path(data) / "netlab" / "progress.json"


def read() -> Record:
    """Return what has been done: {"version", "predictions": {key: {…}}, "challenges": {key: {…}}}.

    A file that cannot be understood is set aside, with a warning that says where, and the course starts afresh. One that the
    machine does not let us read stays as it is, with a warning too.
    """
    file = path()
    record = _empty()
    try:
        if file is not None:
            record = _load(file)
    except OSError as error:
        _warn(
            en=f"Your progress in {file} cannot be read: {error.strerror}. The chapter works all the same.",
            ja=f"{file} にある学習の記録を読めません: {error.strerror}。章はそのまま続けられます。",
        )
    for kind in _KINDS:
        for key, facts in _of_process[kind].items():
            record[kind].setdefault(key, {}).update(facts)
    return record


def _load(file: Path) -> Record:
    """Return what a file says, nothing where there is none or where it had to be set aside; raises OSError."""
    try:
        record = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return _empty()
    except ValueError as error:
        return _set_aside(file, str(error))
    if not isinstance(record, dict) or record.get("version") != _VERSION:
        return _set_aside(file, say(en="another version of the file", ja="ファイルの版が異なります"))
    record = {**_empty(), **record}
    if not all(_is_of_records(record[kind]) for kind in _KINDS):
        return _set_aside(file, say(en="it says something else", ja="内容が記録ではありません"))
    return record


def _is_of_records(kept: Any) -> bool:
    return isinstance(kept, dict) and all(isinstance(one, dict) for one in kept.values())


def _set_aside(file: Path, why: str) -> Record:
    """Keep a file under a name that tells when; raises OSError."""
    aside = file.with_name(f"progress-{time.strftime('%Y%m%d-%H%M%S')}.json")
    file.rename(aside)
    _warn(
        en=f"Your progress in {file} could not be understood ({why}). It was kept as {aside.name}; the count starts again.",
        ja=f"{file} にある学習の記録を理解できませんでした ({why})。{aside.name} として残し、記録を最初から始めます。",
    )
    return _empty()


def _warn(*, en: str, ja: str) -> None:
    warnings.warn(say(en=en, ja=ja), stacklevel=4)


def note(kind: str, key: str, **facts: Any) -> Record:
    """Write facts about one prediction or challenge, beside those that are known already, and return them all.

    Where the disk forbids it the course goes on, and a warning says so: this will be forgotten with the process.
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
            record = _load(file)
            change(record)
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")
            fresh.replace(file)
    except OSError as error:
        _warn(
            en=f"Your progress cannot be kept in {file}: {error.strerror}. The chapter works all the same.",
            ja=f"学習の記録を {file} に保存できません: {error.strerror}。章はそのまま続けられます。",
        )
        change(_of_process)
        return _of_process
    return record


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
