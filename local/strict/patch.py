"""How MiniStack is changed."""

import functools
import sys
from collections.abc import Callable, MutableMapping
from types import ModuleType
from typing import Any


def around(holder: ModuleType | MutableMapping[str, Any], name: str) -> Callable[[Callable], Callable]:
    """Replaces this function of MiniStack. The replacement gets the original as its first argument."""

    def decorate(change: Callable) -> Callable:
        original = vars(holder)[name] if isinstance(holder, ModuleType) else holder[name]
        changed = functools.wraps(original)(functools.partial(change, original))
        if isinstance(holder, ModuleType):
            # Wherever it was imported.
            for module in [module for key, module in sys.modules.items() if key.startswith("ministack.")]:
                if vars(module).get(name) is original:
                    setattr(module, name, changed)
        else:
            holder[name] = changed
        return change

    return decorate
