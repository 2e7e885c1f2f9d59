"""netlab: learn how container networking works by building it, on the real kernel and without root.

```python
from netlab import Lab

lab = Lab()
web = lab.run("web", image="nginx")
lab
```
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.jumping import jump
    from netlab.lab import Lab
    from netlab.language import set_language as language

__all__ = ["Lab", "jump", "language"]

_HOMES = {
    "Lab": ("netlab.lab", "Lab"),
    "jump": ("netlab.jumping", "jump"),
    "language": ("netlab.language", "set_language"),
}


def __getattr__(name: str) -> Any:
    """Load the public names when they are first asked for, so that importing netlab costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netlab' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; `%load_ext netlab` calls this."""
    from netlab.magics import register  # noqa: PLC0415 - IPython is not needed outside notebooks

    register(shell)


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    load_ipython_extension(_shell)
