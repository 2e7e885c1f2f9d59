"""Pictures, text and tables of what the kernel reports: pure functions of `netlab.model` values."""
