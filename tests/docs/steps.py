"""One command of a page, and how it is seen to have worked."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The running system that a page speaks of, and a folder for what a step needs besides."""

    folder: Path
    gateway_port: int
    redis_port: int


Stage = Callable[[Place], AbstractAsyncContextManager[Mapping[str, str]]]
"""What a step needs beside the running system: yields its own names by those of the page."""


@dataclass(frozen=True)
class Step:
    """`command`: how it begins on the page."""

    command: str
    says: str = ""
    """A pattern in its output. A named group is what the page calls so from here on."""
    stays: bool = False
    """It goes on until somebody stops it: at the end of the page, or of its stage."""
    ready: str = ""
    """Of a server: the port, by the page, at which it is ready before anything else is done."""
    at_last: str = ""
    """Of one that stays: a pattern in all that it has said when it is stopped."""
    status: int = 0
    stage: Stage | None = None
    dry: bool = False
    """By `make --dry-run`: its target and variables are there; other tests run what it runs."""
    elsewhere: str = ""
    """A test of its own that runs the same, for it takes an environment or a server of its own."""
    environment: Mapping[str, str] = field(default_factory=lambda: {})
    """Without which a test would have to wait for longer."""

    @property
    def is_program(self) -> bool:
        """Python, not a shell's."""
        return self.command.startswith(("import ", "from "))
