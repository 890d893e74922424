"""Lighthouse on a page: its score for accessibility, and the audits that failed.

It opens the page in a Chromium of its own, with nothing stored.
"""

import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from dev.node import find_node
from tests.support.deployment import ROOT

PROGRAM = ROOT / "frontend" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"


class Audit(TypedDict):
    """One audit; without a score where there was nothing to judge."""

    title: str
    score: float | None


class Reference(TypedDict):
    """An audit that counts for a category."""

    id: str
    weight: float


class Category(TypedDict):
    """A category's score, `None` when an audit of it could not be made."""

    score: float | None
    auditRefs: list[Reference]


class Report(TypedDict):
    """What we read of Lighthouse's JSON report."""

    categories: dict[str, Category]
    audits: dict[str, Audit]


@dataclass(frozen=True)
class LighthouseReport:
    """From 0 to 1, and one line for each audit that keeps it from 1."""

    score: float
    failed: list[str]


async def run_lighthouse(address: str) -> LighthouseReport:
    """Judge the page at this address. Raises when no report can be made."""
    chromium = shutil.which("chromium")
    assert chromium, "There is no Chromium: please install the system package chromium."
    assert PROGRAM.exists(), "Lighthouse is not installed: `make test` does it."
    node = find_node()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        flags = f"--headless=new --no-sandbox --disable-gpu --user-data-dir={folder}/profile"
        process = await asyncio.create_subprocess_exec(
            node.node,
            str(PROGRAM),
            address,
            "--only-categories=accessibility",
            "--preset=desktop",
            "--output=json",
            f"--output-path={file}",
            "--quiet",
            f"--chrome-flags={flags}",
            env=node.environment(os.environ) | {"CHROME_PATH": chromium},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0 or not file.exists():
            raise AssertionError(f"Lighthouse has made no report:\n{said.decode()}")
        return read_report(json.loads(file.read_text()))


def read_report(report: Report) -> LighthouseReport:
    """Score and failures; raises when the category could not be judged. Pure."""
    category = report["categories"]["accessibility"]
    if category["score"] is None:
        raise AssertionError("Lighthouse could not judge the page")
    audits = {ref["id"]: report["audits"][ref["id"]] for ref in category["auditRefs"]}
    failed = [
        f"{name}: {audit['title']}"
        for name, audit in audits.items()
        if audit["score"] is not None and audit["score"] < 1
    ]
    return LighthouseReport(category["score"], failed)
