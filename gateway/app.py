"""Wiring: builds one gateway from its settings. Nothing is created at import."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware

from gateway.acceptance import Acceptance
from gateway.admission import Admission
from gateway.callers import Callers
from gateway.commands import Commands
from gateway.connection_manager import ConnectionManager
from gateway.drain import SPREAD_SHARE, Drain
from gateway.gates import BodyLimit, Gates, OwnCookie, add_documentation, tell_denied
from gateway.health import Probe
from gateway.hosts import OwnHosts
from gateway.http_routes import build_routes
from gateway.key_set import KeySet
from gateway.limits import Rates, Seats
from gateway.metrics import Metrics
from gateway.page import SafeHeaders, build_page_routes
from gateway.patient import PatientEdge, build_patient_routes
from gateway.session_routes import SessionEdge, build_session_routes, tell_refused
from gateway.settings import GatewaySettings
from gateway.socket_bounds import SocketBounds
from gateway.tab_route import TabRoute
from gateway.ticket_route import build_ticket_route
from gateway.tickets import Tickets
from gateway.tokens import SharedSecret, Tokens
from gateway.websocket import WebSocketEdge
from shared.background import run_in_background
from shared.inbox import Inbox
from shared.patient_request import PatientAnswers
from shared.promise import Promises
from shared.redis_client import connect_redis
from shared.session_log import SessionLog
from shared.settings import describe, read_env_file
from shared.subscription import Subscription
from shared.tracing import build_tracer_provider
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)

FRONTEND = Path(__file__).parent.parent / "frontend" / "dist"


def build_app(settings: GatewaySettings | None = None, frontend: Path = FRONTEND) -> FastAPI:
    """One gateway; it serves the page in `frontend` if that has been built. Redis may be away: the
    process is up, and ready when Redis is back."""
    if settings is None:
        read_env_file()
        settings = GatewaySettings()
    keys = settings.keys()
    metrics = Metrics()
    client = connect_redis(settings.redis_url.get_secret_value())
    provider = build_tracer_provider("fanline-gateway")
    log = SessionLog(client, keys)
    manager = ConnectionManager(log, keys.channel, settings, metrics)
    gateway_id = uuid4().hex
    probe = Probe(client, keys.probe(gateway_id), manager, metrics)
    subscription = Subscription(client, probe, rest_seconds=settings.rest_seconds)
    manager.attach(subscription)
    inbox = Inbox(
        client, keys, session_ttl=settings.session_ttl, log_max_events=settings.log_max_events
    )
    work_stream = WorkStream(client, keys)
    tracer = provider.get_tracer("fanline.gateway")
    patients = PatientEdge(work_stream, PatientAnswers(client, keys), settings, tracer)
    acceptance = Acceptance(
        inbox,
        Promises(client, inbox, work_stream),
        settings,
        tracer,
        metrics,
        lambda: probe.is_ready,
    )
    # A tab that is sent away last must have had its time to answer when the drain is over.
    most = settings.drain_seconds * (1 - SPREAD_SHARE)
    bounds = SocketBounds(
        max_buffer_bytes=settings.max_tab_buffer_bytes,
        stall_seconds=settings.stall_seconds,
        close_seconds=min(settings.close_seconds, most),
    )
    rates = Rates(client, keys)
    seats = Seats(client, keys, gateway_id)
    commands = Commands(acceptance, rates, settings)
    edge = WebSocketEdge(manager, commands, bounds, settings, metrics)
    callers = Callers(_build_tokens(settings), rates, settings)
    tickets = Tickets(client, keys, seconds=settings.ticket_seconds)
    admission = Admission(callers, tickets, seats, probe, settings, metrics)
    gates = Gates(callers)
    sessions = SessionEdge(commands, acceptance, manager, admission, log, bounds, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        _log.info("gateway starts: %s", describe(settings))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(client.aclose)
            # Shutting down waits for the exporter, which must not hold up the event loop.
            stack.push_async_callback(asyncio.to_thread, provider.shutdown)
            for loop in (
                subscription.run(),
                probe.run(subscription),
                manager.compare_heads(),
                manager.send_heartbeats(),
                seats.renew(),
            ):
                await stack.enter_async_context(run_in_background(loop))
            yield

    app = FastAPI(title="Fanline", lifespan=lifespan, redirect_slashes=False, openapi_url=None)
    app.state.metrics = metrics
    app.state.drain = Drain(manager, probe, settings.drain_seconds)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )
    app.add_middleware(SafeHeaders)
    app.add_middleware(BodyLimit, settings, metrics)
    app.add_middleware(OwnCookie, settings.auth_cookie)
    tell_denied(app, metrics)
    tell_refused(app, metrics)
    add_documentation(app, gates)
    app.include_router(build_routes(probe, metrics, gates))
    app.include_router(build_session_routes(sessions, gates))
    app.include_router(build_patient_routes(patients, gates))
    app.include_router(build_ticket_route(callers, tickets, gates))

    async def open_tab(websocket: WebSocket) -> None:
        admitted = await admission.admit(websocket)
        if admitted is not None:
            try:
                await edge.serve(websocket, admitted)
            finally:
                admission.leave(admitted)

    app.include_router(build_page_routes(frontend, settings))
    app.add_middleware(TabRoute, open_tab)
    app.add_middleware(OwnHosts, settings.own_hosts, metrics)
    return app


def _build_tokens(settings: GatewaySettings) -> Tokens | None:
    if settings.auth_mode != "jwt":
        return None
    if settings.auth_secret is not None:
        return Tokens(SharedSecret(settings.auth_secret.get_secret_value()), settings)
    return Tokens(KeySet(settings.auth_jwks_url), settings)
