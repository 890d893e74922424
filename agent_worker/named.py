"""Code of somebody else's, by the name that a setting gives it.

It is loaded into a process that has modules already. A file beside it with the name of one of them
would not be what its neighbours import: that is refused, by the name of the file.
"""

import importlib
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

TAKEN = ("agent_worker", "shared")
"""Our own modules in the process. No other of these names can be imported, from wherever."""
_NOT_THEIRS = (
    "<",  # the import system's own
    f"{Path(__file__).parent}/",
    *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "purelib", "platlib")),
)


class _CannotLoad(Exception):
    """Why not, as the end of a sentence that begins with the name."""


def load_named(name: str, setting: str) -> object:
    """What `module:name` or `file.py:name` names; a relative path counts from the working folder,
    and the file's neighbours can be imported from it. A file that is named twice is loaded once.

    Raises `ValueError`, one line that begins with the name of the setting, when it cannot be had.
    """
    try:
        return _load(name)
    except _CannotLoad as error:
        raise ValueError(f"{setting}: {name!r} {error}") from error


def say_in_one_line(error: BaseException) -> str:
    """Kind and text of an error that code of theirs has raised, and where."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_NOT_THEIRS)
    ]
    return f"{said} ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else said


def _load(name: str) -> object:
    place, _, attribute = name.rpartition(":")
    if not place:
        raise _CannotLoad("is neither module:name nor file.py:name")
    if place.endswith(".py"):
        path = Path(place).expanduser().resolve()
        _check_names(path)
        # The file's own folder comes first, as when it is run.
        sys.path.insert(0, str(path.parent))
        place = path.stem
    try:
        module = importlib.import_module(place)
    except (Exception, SystemExit) as error:  # whatever a file that is not ours does
        raise _CannotLoad(f"cannot be loaded: {_explain(error)}") from error
    if not hasattr(module, attribute):
        raise _CannotLoad(f"cannot be loaded: {module.__file__ or place} has no {attribute!r}")
    return getattr(module, attribute)


def _check_names(path: Path) -> None:
    if not path.is_file():
        raise _CannotLoad(f"cannot be loaded: there is no file {path}")
    for file in (path, *_neighbours(path.parent)):
        loaded = sys.modules.get(file.stem)
        if loaded is not None and not _is_loaded_from(loaded, file):
            raise _CannotLoad(
                f"cannot be loaded: {file} has the name of a module that the worker's process has "
                f"already, {file.stem!r}: give it another name"
            )


def _neighbours(folder: Path) -> Iterator[Path]:
    """The modules and packages in it that would be imported, were it not for others of their
    names. A folder without `__init__.py` gives way to every package, but ours is not expected."""
    for file in folder.glob("*.py"):
        if not file.stem.startswith("__"):
            yield file
    for init in folder.glob("*/__init__.py"):
        yield init.parent
    for name in TAKEN:
        if any((folder / name).glob("*.py")):
            yield folder / name


def _is_loaded_from(module: ModuleType, file: Path) -> bool:
    """A file may be named twice, and a file in this project's own folder stands beside our own."""
    return Path(module.__file__ or "").resolve() in (file.resolve(), file.resolve() / "__init__.py")


def _explain(error: BaseException) -> str:
    said = say_in_one_line(error)
    if not isinstance(error, ImportError):
        return said
    if (error.name or "").partition(".")[0] in TAKEN:
        return f"{said}; {' and '.join(TAKEN)} are the worker's own: give yours another name"
    if isinstance(error, ModuleNotFoundError):
        return f"{said}; what it needs is to be installed in {sys.prefix}"
    if "relative import" in str(error):
        return f"{said}; name it as package.module:name, with the package's folder in PYTHONPATH"
    return said
