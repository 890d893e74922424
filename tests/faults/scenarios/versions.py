"""Two versions at once: an upgrade is processes of two versions on one Redis, for as long as it
takes."""

import os
import subprocess
from pathlib import Path

from tests.faults import tomorrow
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Traffic
from tests.support.processes import ROOT, Process, close_fork_server

PREVIOUS = "2977108706ae2aca9388a31dca5322a74bdf4697"
"""The commit that counts as the version before this one while none has a tag."""
MEETINGS = "turns told across versions"
REPLACED = "processes replaced by the other version"
UNKNOWN_EVENTS = "events of an unknown type"
UNKNOWN_FIELDS = "events with unknown fields"


def previous_tree(stage: Stage) -> Path:
    """The sources of the version before this one: `FAULTS_PREVIOUS`, or the newest tag before HEAD,
    or `PREVIOUS`. They are there until every process has ended. Raises `AssertionError` when this
    clone does not have them."""
    name = os.environ.get("FAULTS_PREVIOUS") or _git("describe", "--tags", "--abbrev=0", "HEAD^")
    name = name or PREVIOUS
    tree = stage.folder / "previous"
    tree.mkdir()
    archive = subprocess.run(["git", "archive", name], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise AssertionError(
            f"this clone does not have {name}: fetch its whole history, or name another"
            " version with FAULTS_PREVIOUS"
        )
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    stage.outlasting.callback(close_fork_server, tree)
    commit = _git("rev-parse", "--short", f"{name}^{{commit}}")
    stage.row.notes.append(
        f"the other version is {name[:40]} ({commit}); scripts that differ: {_differing(tree)}"
    )
    return tree


def _differing(tree: Path) -> int:
    """How many of Redis's scripts are not the same there and here, or are not in both."""
    there, here = (
        {path.relative_to(root): path.read_bytes() for path in root.glob("shared/scripts/**/*.lua")}
        for root in (tree, ROOT)
    )
    return sum(there.get(name) != here.get(name) for name in there.keys() | here.keys())


async def older_workers(stage: Stage) -> None:
    """Workers of the version before this one answer what gateways of this one accept."""
    older = previous_tree(stage)
    await stage.start(workers=0)
    stage.deployment.tree = older
    await stage.start(gateways=0)
    await _talk(stage)


async def older_gateways(stage: Stage) -> None:
    """Gateways of the version before this one show what workers of this one tell."""
    older = previous_tree(stage)
    await stage.start(gateways=0)
    stage.deployment.tree = older
    await stage.start(workers=0)
    await _talk(stage)


async def _talk(stage: Stage) -> None:
    stage.row.expect(MEETINGS)
    async with stage.traffic() as traffic:
        await traffic.after_events(stage.times(short=1500, long=8000))
    trees = {_tree_of(worker) for worker in stage.workers}
    assert trees.isdisjoint(map(_tree_of, stage.gateways)), "there is one version only"
    stage.row.happened(MEETINGS, _turns_told(traffic))


def _tree_of(process: Process) -> str:
    return os.readlink(f"/proc/{process.process.pid}/cwd")


def _turns_told(traffic: Traffic) -> int:
    return sum(
        event["type"] == "turn_finished"
        for session in traffic.sessions
        for event in session.tabs[0].view.events
    )


async def upgrade_and_back(stage: Stage) -> None:
    """Every process of the older version is told to stop and replaced by one of this version, one
    after the other, under traffic; and back again."""
    stage.row.expect(REPLACED)
    older = previous_tree(stage)
    stage.deployment.tree = older
    await stage.start()
    async with stage.traffic() as traffic:
        for tree in (ROOT, older):
            stage.deployment.tree = tree
            for process in [*stage.workers, *stage.gateways]:
                await traffic.after_events(stage.times(short=100, long=250))
                await _replace(stage, process)
                stage.row.happened(REPLACED)


async def _replace(stage: Stage, process: Process) -> None:
    await stage.start(gateways=int(bool(process.port)), workers=int(not process.port))
    await process.stop()


async def tomorrow_among_us(stage: Stage) -> None:
    """One gateway and one worker are of a version that says more than anybody here understands."""
    stage.row.expect(UNKNOWN_EVENTS, UNKNOWN_FIELDS)
    await stage.start(gateways=1, workers=1)
    stage.deployment.before = "tests.faults.tomorrow:begin"
    await stage.start(gateways=1, workers=1)
    async with stage.traffic() as traffic:
        await traffic.after_events(stage.times(short=1500, long=8000))
    for session in traffic.sessions:
        events = session.tabs[0].view.events
        stage.row.happened(UNKNOWN_EVENTS, sum(e["type"] == tomorrow.TYPE for e in events))
        stage.row.happened(UNKNOWN_FIELDS, sum(tomorrow.FIELD in e for e in events))


def _git(*arguments: str) -> str:
    told = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return told.stdout.decode().strip() if told.returncode == 0 else ""


SCENARIOS = (
    Scenario("tomorrow's processes among today's", tomorrow_among_us, stays_live=True),
    Scenario("older workers, newer gateways", older_workers, is_short=False, stays_live=True),
    Scenario("newer workers, older gateways", older_gateways, is_short=False, stays_live=True),
    Scenario("upgraded under traffic, and back", upgrade_and_back, is_short=False),
)
