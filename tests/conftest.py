"""What holds for all tests on a machine that may be slow or busy."""

import os

from hypothesis import HealthCheck, settings

# Before torch is imported: its threads are not to spin while another test has the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

# What is slow is measured in benchmarks.
settings.register_profile("hubel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hubel")
