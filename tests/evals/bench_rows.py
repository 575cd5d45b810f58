"""Rows of the benchmark, written by hand, for tests of what is made of them."""


def row(number=0, planner="mine", **other):
    """A result on a real neuron that was recovered, but for what is said otherwise."""
    given = {
        "suite": "numbers", "planner": planner, "number": number, "kind": "linear",
        "complexity": "clean", "real": True, "truth": "a line", "truth_code": "def f(x): ...",
        "text": "A line.", "code": "def f(x):\n    return x\n", "confidence": 0.9,
        "outside": False, "failed": "", "budget": 200, "snr": None, "queries": 100,
        "seconds": 1.0, "claimed": True, "recovered": True, "agreement": {"global": 1.0},
        "correlation": 1.0, "ceiling": 1.0, "nmse": 0.0, "truth_nmse": 0.0, "overlap": None,
        "length": 24, "why": "",
    }  # fmt: skip
    return given | other


def wrong(number=0, planner="mine", **other):
    """One that was not recovered."""
    given = {"recovered": False, "agreement": {"global": 0.2}, "correlation": 0.1, "nmse": 0.8}
    return row(number, planner, **(given | other))


def null(number=0, planner="mine", claimed=False, **other):
    """One on a null unit."""
    given = {"real": False, "recovered": False, "claimed": claimed, "kind": "null", **other}
    return row(number, planner, **given)
