"""What this machine can do for a lab: each thing is tried, and for each that fails there is something to do."""
