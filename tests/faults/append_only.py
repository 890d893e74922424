"""What a server's append-only file has: the evidence of what it cannot have forgotten."""

import re
from pathlib import Path

END = re.compile(rb'"type":"turn_finished".*?"turn_id":"([^"]+)"')


def ends_written(folder: Path) -> set[str]:
    """The turns whose end is in the files of this folder."""
    texts = [path.read_bytes() for path in folder.glob("*.aof")]
    return {found.decode() for text in texts for found in END.findall(text)}
