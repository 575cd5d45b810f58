"""Explorer of neurons that see: which rule over the concepts of a rendered scene drives them."""

from hubel.agent.planners.scenes.explore import explore

__all__ = ["explore"]
