"""Which levels of the sandbox the tests can run at on this machine."""

import os

import pytest

from hubel.sandbox.levels import find

FOUND = {level: find(level) for level in ("isolated", "confined")}


def level(name):
    """A parameter for a test; skipped, with the reason, where the level does not work."""
    found = FOUND[name]
    # Where everything must be tested, a level that does not work is a failure, not a gap.
    needed = name == "isolated" and "HUBEL_REQUIRE_SANDBOX" in os.environ
    skip = pytest.mark.skipif(not found.works and not needed, reason=f"{name}: {found.why}")
    return pytest.param(name, marks=skip)


BOTH = [level("isolated"), level("confined")]
ISOLATED = [level("isolated")]
