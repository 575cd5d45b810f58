"""Language models as planners and describers, behind any OpenAI-compatible server."""

from hubel.agent.planners.openai.client import Patience
from hubel.agent.planners.openai.describer import OpenAIDescriber
from hubel.agent.planners.openai.planner import OpenAIPlanner

__all__ = ["OpenAIDescriber", "OpenAIPlanner", "Patience"]
