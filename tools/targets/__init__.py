"""Targets: one file per kind of network, each with `load(argument, device) -> Target`."""
