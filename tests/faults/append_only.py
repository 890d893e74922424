"""What a server's append-only file has: the evidence of what it cannot have forgotten."""

import re
from pathlib import Path

END = re.compile(rb'"type":"turn_finished".*?"turn_id":"([^"]+)"')
READABLE: tuple[str, ...] = ("--auto-aof-rewrite-percentage", "0", "--aof-use-rdb-preamble", "no")
"""The options of a server whose files `ends_written` can read, whatever it does: it rewrites them
only for a new copy of its primary, and then as commands."""
EMPTY_RDB_BYTES = 200
"""A server that begins with nothing writes that down in so many at most."""


def ends_written(folder: Path) -> set[str]:
    """The turns whose end is in the files of this folder. Raises `AssertionError` when there is
    something that it cannot read: what is not found may be forgotten, and then all might be."""
    files = [path for path in folder.iterdir() if path.suffix != ".manifest"]
    texts = [path for path in files if path.suffix == ".aof"]
    packed = [path for path in files if path.suffix != ".aof"]
    unread = [path.name for path in packed if path.stat().st_size > EMPTY_RDB_BYTES]
    assert texts, f"{folder} has no files of commands"
    assert not unread, f"{folder} has files that are not commands: {unread}"
    return {found.decode() for path in texts for found in END.findall(path.read_bytes())}
