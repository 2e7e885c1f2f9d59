"""Why: reachability explained without sending, condition by condition, from what the kernel reports."""
