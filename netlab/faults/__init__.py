"""Faults: what can be broken in a lab, how a user would complain of it, and how it is mended."""
