"""Journeys: a real probe, and every hop that it really took, joined from captures and the kernel's own rule trace."""
