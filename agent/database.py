"""`sqlite_utils.Database`, without the pandas that it imports where there is one.

It wants a single type of pandas, which nothing here writes; every command would wait for it, a
third of a second.
"""

import sys

_untouched = "pandas" not in sys.modules
if _untouched:
    sys.modules["pandas"] = None  # type: ignore[assignment]
from sqlite_utils import Database  # noqa: E402

if _untouched:
    del sys.modules["pandas"]

__all__ = ["Database"]
