"""Starts processes of the system in a tenth of a second: it has imported everything, and forks.

Run by `tests/support/processes.py`. One JSON object a line: on standard input what to start, on
standard output which process was started and which has ended. What it has started ends with it.
"""

import atexit
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import sys
from typing import Any, NoReturn, TextIO

WARM = (
    "agent_worker.__main__",
    "agent_worker.fhir.server",
    "gateway.__main__",
    "openai.resources.chat.completions",
    "openai.resources.responses",
    "pydantic_ai.mcp",
    "pydantic_ai.models.openai",
    "pydantic_ai.providers.openai",
    "uvloop",
)
"""Modules that a process would take seconds to import. Importing them creates nothing."""


def main() -> None:
    """Serve until standard input ends."""
    sys.path[0] = os.getcwd()  # as for `python -m`: the source tree
    for name in WARM:
        importlib.import_module(name)
        if name.endswith(".__main__"):
            del sys.modules[name]  # what it imports stays; it is run anew in every child
    gc.freeze()  # what is shared with every child is not looked at, and so not copied, again
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    running: set[int] = set()
    # Unbuffered: a line that was read ahead would be seen by nobody.
    requests = io.FileIO(sys.stdin.fileno(), closefd=False)
    while True:
        ready, _, _ = select.select([sys.stdin, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_who_has_ended(running)
        if sys.stdin in ready:
            line = requests.readline()
            if not line:
                break
            running.add(_start(json.loads(line)))
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _start(wanted: dict[str, Any]) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _become(**wanted)
    _tell(started=pid)
    return pid


def _become(
    package: str, arguments: list[str], environment: dict[str, str], log: str, before: str
) -> NoReturn:
    """Go on as `python -m package`, having called the function `before` (`module:name`)."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[1:] = arguments
        # What the interpreter itself reads, and has read long ago.
        sys.path[1:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
        if before:
            module, _, name = before.partition(":")
            getattr(importlib.import_module(module), name)()
        runpy.run_module(package, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # pyright: ignore[reportArgumentType]
    finally:
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] - os._exit leaves them out
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        os._exit(status)


def _flush(stream: TextIO) -> None:
    stream.flush()


def _tell_who_has_ended(running: set[int]) -> None:
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            running.discard(pid)
            _tell(ended=pid, status=os.waitstatus_to_exitcode(status))


def _tell(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main()
