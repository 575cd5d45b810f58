"""Explorer of functions from string to string: enumerative synthesis over a typed language."""

from hubel.agent.planners.strings.explore import explore

__all__ = ["explore"]
