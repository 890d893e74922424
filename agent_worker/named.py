"""Code of somebody else's, by the name that a setting gives it."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_named(name: str, setting: str) -> object:
    """What `module:name` or `file.py:name` names. Raises `ValueError`, with the name of the setting
    that says so, when there is no such thing."""
    place, _, attribute = name.rpartition(":")
    if not place:
        raise ValueError(f"{setting}: {name!r} is neither module:name nor file.py:name")
    try:
        module = (
            _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
        return getattr(module, attribute)
    except Exception as error:  # whatever a file that is not ours does when it is loaded
        kind = type(error).__name__
        raise ValueError(f"{setting}: {name!r} cannot be loaded: {kind}: {error}") from error


def _load_file(path: Path) -> ModuleType:
    # The file's own folder comes first, as when it is run: its neighbours can be imported.
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
