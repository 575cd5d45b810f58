"""The explorer of functions from one number to one number."""

from hubel.agent.planners.numbers.explorer import explore

__all__ = ["explore"]
