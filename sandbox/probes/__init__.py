"""Adversarial probes: attacks that a box must stop, each able to succeed where there is none."""

from __future__ import annotations

from importlib import import_module

from hubel.sandbox.probes.probe import PROBES, Probe

__all__ = ["PROBES", "Probe"]

#: In the order in which they are shown; importing one fills the list.
for _topic in (
    "reading",
    "network",
    "kernel",
    "writing",
    "exhausting",
    "hiding",
    "filling",
    "ending",
    "channel",
    "handing",
    "later",
):
    import_module(f"{__name__}.{_topic}")
