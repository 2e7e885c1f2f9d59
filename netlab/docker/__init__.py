"""What Docker's engine does on a host: networks, containers, their names, their published ports."""
