"""Options that several commands share."""

from __future__ import annotations

import click

lab = click.option("--lab", "-l", metavar="NAME", help="Which lab; not needed when only one is running.")
