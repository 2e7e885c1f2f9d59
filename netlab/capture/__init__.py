"""Seeing packets: on every interface of a place or of several, with the kernel's time, as tcpdump does."""
