"""Places: everywhere in a lab where a command can run. Handles only; what they show is asked of the kernel each time."""
