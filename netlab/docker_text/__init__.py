"""What the docker command prints: lists, tables, ports, durations, filters. Data as the Docker Engine API has it.

Everything here is text from data: nothing is asked of a lab. Layouts and texts are those of docker 28.2.2, byte by byte.
"""

from __future__ import annotations

from netlab.docker_text.durations import duration, status
from netlab.docker_text.filters import Filters, matching_containers, matching_networks
from netlab.docker_text.filters import parse as parse_filters
from netlab.docker_text.lists import BOTH_FORMAT_AND_QUIET, check_inspection, container_list, inspection, network_list
from netlab.docker_text.ports import port_column, port_lines

__all__ = [
    "BOTH_FORMAT_AND_QUIET",
    "Filters",
    "check_inspection",
    "container_list",
    "duration",
    "inspection",
    "matching_containers",
    "matching_networks",
    "network_list",
    "parse_filters",
    "port_column",
    "port_lines",
    "status",
]
