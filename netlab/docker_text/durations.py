"""How long ago, in docker's words: Up 2 minutes, Exited (0) 5 seconds ago."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a duration as docker says it (docker/go-units, HumanDuration)."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return "1 second" if int(seconds) == 1 else f"{int(seconds)} seconds"
    minutes = int(seconds / 60)
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for hours_each, up_to, name in ((24, 24 * 14, "days"), (24 * 7, 24 * 60, "weeks"), (24 * 30, 24 * 730, "months")):
        if hours < up_to:
            return f"{hours // hours_each} {name}"
    return f"{int(seconds / 3600) // 24 // 365} years"


def status(
    state: str, *, now: float, started: float | None = None, finished: float | None = None, exit_code: int = 0
) -> str:
    """Return the STATUS of a container: `state` is created, running, paused, restarting, removing, exited or dead.

    Times are seconds since 1970, None for never.
    """
    since = now - (started or now) if state in ("running", "paused") else now - (finished or now)
    if state in ("running", "paused"):
        return f"Up {duration(since)}" + (" (Paused)" if state == "paused" else "")
    if state == "restarting":
        return f"Restarting ({exit_code}) {duration(since)} ago"
    if state in ("removing", "dead", "created"):
        return {"removing": "Removal In Progress", "dead": "Dead", "created": "Created"}[state]
    return f"Exited ({exit_code}) {duration(since)} ago" if finished else ""
