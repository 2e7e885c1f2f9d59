"""States of a lab that one can come back to: what the engines know, and what is configured in the kernel."""
