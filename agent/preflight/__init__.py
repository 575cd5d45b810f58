"""Preflight: what a language model can do, measured before it is trusted as a planner.

- ``difference``, ``count``, ``heat-map``: whether it sees, on pictures that the program drew and
  so knows exactly (`eyes`). A model that takes no pictures is a text-only model, not a failed one.
- ``call``: whether it makes a named call with the named arguments.
- ``loop``: whether it keeps the rules of the loop in a study for practice (`practice`).

Each is a share of right answers with Wilson's 95% interval (E. B. Wilson, "Probable inference, the
law of succession, and statistical inference", 1927), beside the share that guessing reaches.
"""

from hubel.agent.preflight.measure import measure
from hubel.agent.preflight.summary import line, rows

__all__ = ["line", "measure", "rows"]
