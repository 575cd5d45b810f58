"""The tools, one file each. Importing this package imports them all and so fills the registry.

An import that fails is an error, never a tool that is quietly missing.
"""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
