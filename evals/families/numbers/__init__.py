"""`numbers`: neurons from one number to one number, of every complexity, drawn from a seed.

FIND's complexities (Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating
Interpretability Methods"), and two that it lacks: exceptions that are deterministic, so that asking
twice does not expose them, and units of which nothing is to be found. Inputs lie between -128 and
128.
"""

from hubel.evals.families.numbers.neurons import COMPLEXITIES, SNRS, make, suite

__all__ = ["COMPLEXITIES", "SNRS", "make", "suite"]
