"""Names for containers that were given none: an adjective and a scientist, as with Docker."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

_ADJECTIVES = (
    "admiring", "bold", "calm", "clever", "determined", "eager", "elegant", "friendly", "gallant", "happy", "jolly", "keen",
    "lucid", "modest", "nifty", "patient", "quirky", "relaxed", "serene", "tender", "upbeat", "vibrant", "wizardly", "zen",
)  # fmt: skip
_SCIENTISTS = (
    "bell", "cerf", "clarke", "curie", "dijkstra", "euler", "franklin", "gauss", "hamilton", "hopper", "johnson", "kalam",
    "knuth", "lamarr", "lovelace", "meitner", "noether", "perlman", "ritchie", "shannon", "thompson", "turing", "yalow",
)  # fmt: skip


def name(taken: Collection[str]) -> str:
    """Return a name that is not taken: the same in every run, so that a notebook's outputs can be compared."""
    for number in count(len(taken)):
        made = f"{_ADJECTIVES[number % len(_ADJECTIVES)]}_{_SCIENTISTS[number % len(_SCIENTISTS)]}"
        again = number // (len(_ADJECTIVES) * len(_SCIENTISTS))
        found = f"{made}{again}" if again else made
        if found not in taken:
            return found
    raise AssertionError
