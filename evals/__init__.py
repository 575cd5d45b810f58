"""How good it is: control targets, baselines and scores against known truth."""
