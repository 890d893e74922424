"""`--workers N`: N processes at one port. Each is a whole gateway with a subscription of its own;
they share the port and nothing else.

The parent serves nobody. It keeps every door (`doors.py`) open: whoever waits before that of a
process that dies is let in by its successor. A process that ends is replaced, and so is one that
hangs: that is silent.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType

from gateway.doors import Door

_log = logging.getLogger(__name__)

Beat = Callable[[], bool]
"""For a process that serves, to be called about once a second; false when its parent has gone."""
Serve = Callable[[int, Door, Beat], None]
"""Serves as the process of this number, counted from 0, until SIGTERM, by which it drains, however
often it comes, or SIGINT, which cuts that short."""

LOOK_SECONDS = 0.1
SILENT_LOOKS = 300
"""Silent so often, a process hangs. Looks are counted, not seconds: when the whole machine was held
up, the parent has not looked either."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STABLE_SECONDS = 30.0
"""What has lived so long has not died of its start: its successor is not kept waiting."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Worker:
    """A process, and the pipe over which it is heard."""

    def __init__(self, process: ForkProcess, ear: int) -> None:
        self.process = process
        self.ear = ear
        self.started = time.monotonic()
        self._silent_looks = 0

    def has_spoken(self) -> bool:
        """Whether it was heard since this was last asked."""
        try:
            spoke = bool(os.read(self.ear, 4096))
        except BlockingIOError:
            return False
        self._silent_looks = 0
        return spoke

    def look(self) -> None:
        """Kill it if it hangs."""
        self._silent_looks += 1
        if self._silent_looks == SILENT_LOOKS:
            _log.error("process %d hangs and is killed", self.process.pid)
            self.process.kill()

    def signal(self, number: int) -> None:
        """Send it; nobody is there to take it once the process has ended."""
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)

    def close(self) -> None:
        """Forget a process that has ended."""
        self.process.join()
        self.process.close()
        os.close(self.ear)


class Workers:
    """Keeps a process at every door until told to stop. From here on, what this process is sent is
    for `run` to obey."""

    def __init__(self, doors: Sequence[Door], serve: Serve) -> None:
        self._doors = doors
        self._serve = serve
        self._signals = _Signals()
        self._workers: dict[int, _Worker] = {}
        """Those that run, by the number of their door."""
        self._due = [0.0] * len(doors)
        """When the next is to be started."""
        self._pauses = [0.0] * len(doors)
        self._have_served = False
        self._stopping = False
        self._status = 0
        self._looked = time.monotonic()

    def run(self) -> int:
        """Serve until a signal, which makes every process drain; the next cuts that short. Returns
        the exit status: that of the first process where it could not start, else 0."""
        while self._workers or not self._stopping:
            self._start_due()
            running = self._workers.values()
            ears = [worker.ear for worker in running]
            ends = [worker.process.sentinel for worker in running]
            wait([self._signals.ear, *ears, *ends], LOOK_SECONDS)
            for number in self._signals.read():
                self._obey(number)
            for number, worker in list(self._workers.items()):
                self._have_served |= worker.has_spoken()
                if worker.process.exitcode is not None:
                    self._on_end(number, worker)
            self._look()
        self._signals.close()
        return self._status

    def _start_due(self) -> None:
        """The first goes ahead: if it cannot start none can, and the reason is told once."""
        for number, due in enumerate(self._due if self._have_served else self._due[:1]):
            is_missing = number not in self._workers and not self._stopping
            if is_missing and time.monotonic() >= due:
                self._start(number)

    def _start(self, number: int) -> None:
        ear, mouth = _pipe()
        fork = multiprocessing.get_context("fork")
        process = fork.Process(
            target=self._work, args=(number, ear, mouth), name=f"worker {number}"
        )
        # What comes before the child has handlers of its own would be taken for the parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(mouth)
        self._workers[number] = _Worker(process, ear)
        _log.info("worker %d is process %d", number, process.pid)

    def _work(self, number: int, ear: int, mouth: int) -> None:
        """The child's."""
        os.setpgrp()  # Ctrl-C is for the parent, which passes it on
        self._signals.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What is the parent's alone must end with it: else doors would stay open at which nobody
        # serves, and no child would notice that the parent has gone.
        for other, door in enumerate(self._doors):
            if other != number:
                door.close()
        for one in (ear, *(worker.ear for worker in self._workers.values())):
            os.close(one)
        self._serve(number, self._doors[number], lambda: _speak(mouth))

    def _obey(self, number: signal.Signals) -> None:
        _log.info("%s: the workers %s", number.name, "are cut" if self._stopping else "drain")
        for worker in self._workers.values():
            worker.signal(signal.SIGINT if self._stopping else signal.SIGTERM)
        self._stopping = True

    def _on_end(self, number: int, worker: _Worker) -> None:
        pid, status = worker.process.pid, worker.process.exitcode or 0
        lived = time.monotonic() - worker.started
        worker.close()
        del self._workers[number]
        if self._stopping:
            self._doors[number].close()  # who waits is refused, and goes elsewhere
        elif not self._have_served:
            self._status = max(status, 1)
            self._stopping = True
        else:
            pause = min(max(2 * self._pauses[number], FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            self._pauses[number] = 0.0 if lived > STABLE_SECONDS else pause
            self._due[number] = time.monotonic() + self._pauses[number]
            text = "worker %d, process %d, has ended with %d; another starts in %.1f s"
            _log.error(text, number, pid, status, self._pauses[number])

    def _look(self) -> None:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            for worker in self._workers.values():
                worker.look()


class _Signals:
    """What this process is sent: it does nothing, and can be read."""

    def __init__(self) -> None:
        self.ear, self._mouth = _pipe()
        self._before = {number: signal.signal(number, _ignore) for number in SIGNALS}
        signal.set_wakeup_fd(self._mouth)

    def read(self) -> list[signal.Signals]:
        """Those that came since this was last asked."""
        try:
            return [signal.Signals(number) for number in os.read(self.ear, 64)]
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Let them do again what they did before."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.ear)
        os.close(self._mouth)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Unlike SIG_IGN, it lets the number be written to the wakeup file."""


def _pipe() -> tuple[int, int]:
    """Where to read and where to write, neither of which waits."""
    ear, mouth = os.pipe()
    os.set_blocking(ear, False)
    os.set_blocking(mouth, False)
    return ear, mouth


def _speak(mouth: int) -> bool:
    try:
        os.write(mouth, b".")
    except BlockingIOError:
        pass  # the parent is held up, and has enough to hear
    except BrokenPipeError:
        return False
    return True
