"""`python -m agent_worker`: one worker against `REDIS_URL`; with `--failed`, its failed turns."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from typing import get_args

import uvloop
from pydantic import ValidationError

from agent_worker.agents import ClinicalAgents, open_agent
from agent_worker.consumer import Consumer
from agent_worker.control import ControlChannels
from agent_worker.failed_command import Wanted, serve_operator
from agent_worker.metrics import Metrics
from agent_worker.patient_requests import PatientRequests
from agent_worker.patient_runner import PatientRunner
from agent_worker.run_turn import TurnRunner
from agent_worker.settings import WorkerSettings
from agent_worker.span_ends import SpanEnds
from shared.background import run_in_background
from shared.direct_scripts import DirectScripts
from shared.ids import parse_session_id, parse_turn_id
from shared.inbox import Inbox
from shared.lease import Leases
from shared.logs import configure_logging
from shared.metrics_port import serve_metrics
from shared.patient_request import PatientAnswers
from shared.promise import Promises
from shared.protocol import ErrorCode
from shared.redis_client import connect_redis
from shared.session_log import SessionLog
from shared.settings import describe, read_env_file
from shared.subscription import Subscription
from shared.tracing import build_tracer_provider
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)


async def work(settings: WorkerSettings, metrics: Metrics) -> None:
    """Run one worker until SIGTERM or SIGINT, then drain it. Raises `SystemExit`, with a sentence,
    for settings that name something that is not there."""
    async with AsyncExitStack() as stack:
        try:
            consumer = await _build_consumer(settings, metrics, stack)
        except ValueError as error:
            raise SystemExit(str(error)) from error
        told_to_stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
        # What has been imported and built stays as long as the process. A full collection would
        # look at all of it, and hold every turn up for two tenths of a second.
        gc.freeze()
        _log.info("worker starts: %s", describe(settings))
        await stack.enter_async_context(run_in_background(consumer.run()))
        await told_to_stop.wait()
        _log.info("worker drains")
        await consumer.drain()


async def _build_consumer(
    settings: WorkerSettings, metrics: Metrics, stack: AsyncExitStack
) -> Consumer:
    span_ends = SpanEnds()
    provider = build_tracer_provider("fanline-worker", span_ends)
    # Shutting down waits for the exporter, which must not hold up the event loop.
    stack.push_async_callback(asyncio.to_thread, provider.shutdown)
    clinical = ClinicalAgents(settings)
    agent_for_turn = await stack.enter_async_context(open_agent(settings, clinical))
    patients = PatientRunner(clinical, settings, provider)
    name = f"{socket.gethostname()}-{os.getpid()}"
    keys = settings.keys()
    bounds = {"session_ttl": settings.session_ttl, "log_max_events": settings.log_max_events}
    client = connect_redis(settings.redis_url.get_secret_value())
    stack.push_async_callback(client.aclose)
    control = ControlChannels(keys.control)
    subscription = Subscription(client, control)
    control.attach(subscription)
    await stack.enter_async_context(run_in_background(subscription.run()))
    runner = TurnRunner(
        SessionLog(client, keys), agent_for_turn, settings, provider, span_ends, metrics, name
    )
    scripts = DirectScripts(client)
    stack.callback(scripts.close)
    work_stream = WorkStream(client, keys)
    return Consumer(
        name,
        work_stream,
        Promises(client, Inbox(client, keys, **bounds), work_stream),
        Leases(client, keys, lease_ms=settings.lease_ms, scripts=scripts, **bounds),
        runner,
        PatientRequests(name, work_stream, PatientAnswers(client, keys), patients, settings),
        control,
        settings,
        metrics,
    )


def main() -> None:
    """Work until told to stop; or do what an operator wants, and end."""
    wanted = _parse_arguments()
    read_env_file()
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        sys.exit(f"settings: {error}")
    configure_logging(settings.log_level, settings.log_format)
    if wanted is not None:
        logging.disable()  # what goes wrong is told once, in one sentence
        sys.exit(uvloop.run(serve_operator(settings, wanted)))
    metrics = Metrics()
    with serve_metrics(metrics.registry, settings.metrics_host, settings.metrics_port):
        uvloop.run(work(settings, metrics))


def _parse_arguments() -> Wanted | None:
    """What an operator wants; `None` for a worker."""
    parser = argparse.ArgumentParser("python -m agent_worker", description="Answer messages.")
    parser.add_argument(
        "--failed",
        action="store_true",
        help="do not work: list the turns that failed and were not tried again",
    )
    with_failed = parser.add_argument_group("with --failed")
    with_failed.add_argument("--code", choices=get_args(ErrorCode), help="only with this code")
    with_failed.add_argument("--content", action="store_true", help="show what was said, too")
    with_failed.add_argument("--json", action="store_true", help="print JSON, one object a line")
    with_failed.add_argument(
        "--retry",
        nargs="+",
        metavar=("all | SESSION_ID", "TURN_ID"),
        help="try this turn again, or all that would be listed, and print which",
    )
    arguments = parser.parse_args()
    if not arguments.failed:
        if arguments != parser.parse_args([]):
            parser.error("--code, --content, --json and --retry are for --failed")
        return None
    match arguments.retry:
        case None:
            retry = None
        case ["all"]:
            retry = "all"
        case [session_id, turn_id] if arguments.code is None:
            try:
                retry = parse_session_id(session_id), parse_turn_id(turn_id)
            except ValueError as error:
                parser.error(str(error))
        case _:
            parser.error("--retry takes `all`, or one SESSION_ID and one TURN_ID without --code")
    return Wanted(retry, arguments.code or "", arguments.json, arguments.content)


if __name__ == "__main__":
    main()
