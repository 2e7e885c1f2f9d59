"""Faults: what can be broken in a lab, and how it is mended."""
