"""The dashboard and the alert rules against what real processes show after one turn.

An expression with a name or a label that nobody has is no error to Prometheus: it is silence.
"""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
import yaml
from websockets.exceptions import InvalidStatus

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.docs.markdown import name_in, read_page, sections_of, tables_of
from tests.docs.promql import read_expression
from tests.gateway.raw_tab import a_session, connected, opened
from tests.support.chat import Chat
from tests.support.deployment import deploy
from tests.support.eventually import eventually
from tests.support.scrape import Scrape, scrape
from tests.support.stub_model import Call, Reply, StubModel

DASHBOARD: dict[str, Any] = json.loads(read_page("deploy/grafana/fanline.json"))
GRAPHS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
TARGETS: list[dict[str, str]] = [target for graph in GRAPHS for target in graph["targets"]]
(GROUP,) = yaml.safe_load(read_page("deploy/prometheus/alerts.yml"))["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
PROMETHEUS: dict[str, Any] = yaml.safe_load(read_page("deploy/prometheus/prometheus.yml"))
JOBS = {job["job_name"] for job in PROMETHEUS["scrape_configs"]}
EXPRESSIONS = [*(target["expr"] for target in TARGETS), *(rule["expr"] for rule in RULES)]
SECTIONS = sections_of(read_page("docs/operations.md"))
GIVEN_BY_PROMETHEUS = {"job", "instance"}
TOOLS = Reply(["Let me see. "], calls=[Call("count_patients", {})], usage=(31, 8))
ANSWER = Reply(["They are ", "counted."], usage=(57, 3))


@dataclass(frozen=True)
class Observed:
    """What a gateway and a worker show before and after one turn."""

    before: tuple[Scrape, Scrape]
    after: tuple[Scrape, Scrape]

    def labels_of(self, name: str) -> list[dict[str, str]]:
        """Of every sample with this name, in whichever process it is."""
        return [labels for one in self.after for labels in one.labels_of(name)]

    def grown(self, name: str, **labels: str) -> float:
        before, after = (
            [s.value(name, **labels) for s in two] for two in (self.before, self.after)
        )
        return sum(after) - sum(before)


@pytest.fixture(scope="module")
async def observed(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Observed, None]:
    """One turn with one tool call, a refused frame and a refused handshake. What is served comes
    from the ports that Prometheus is given."""
    one, two = free_port(), free_port()
    settings = stub.environment() | {"LINGER_SECONDS": "0.1", "HEARTBEAT_SECONDS": "0.4"}
    async with deploy(redis_server, tmp_path_factory.mktemp("observed"), **settings) as own:
        gateway = await own.start_gateway(metrics_port=one)
        await own.start_worker(metrics_port=two)
        chat = Chat(own, stub)
        stub.script(chat.session_id, TOOLS, ANSWER)
        async with chat.tab() as tab:
            await tab.until("heartbeat")  # sent by the loop that also asks for a sample
            before = (await scrape(one), await scrape(two))
            await tab.ask(chat.session_id)
        async with connected(gateway, a_session()) as raw:
            await raw.send("no frame of ours")
            await raw.until("error", code="bad_json")
        with pytest.raises(InvalidStatus):
            async with opened(gateway, "no session of ours"):
                pass

        async def ended() -> Scrape | None:
            found = await scrape(two)  # it counts a turn when Redis has said that it has the end
            return found if found.value("fanline_turns_finished_total") else None

        worker: Scrape = await eventually(ended, "the worker has counted the turn")
        yield Observed(before, (await scrape(one), worker))
        await own.check_nothing_is_left()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_name_and_label_is_in_a_scrape(observed: Observed, expression: str) -> None:
    """And every value that a label is compared with."""
    asked = read_expression(expression)
    for name in asked.names - {"up"}:
        samples = observed.labels_of(name)
        assert samples, f"no process shows {name}"
        for label in asked.labels - GIVEN_BY_PROMETHEUS:
            assert all(label in labels for labels in samples), f"{name} has no {label}"
        for label, value in asked.values:
            known = JOBS if label == "job" else {labels[label] for labels in samples}
            assert value in known, f"{name} has no {label} {value}"
    assert {value for label, value in asked.values if label == "job"} <= JOBS


def test_every_metric_of_ours_is_on_the_dashboard(observed: Observed) -> None:
    """What nobody can see need not be counted."""
    shown = {name for target in TARGETS for name in read_expression(target["expr"]).names}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    counted = {
        re.sub(r"_(bucket|sum|count|created)$", "", name)
        for two in observed.after
        for name, _, _ in two.samples
        if not name.startswith("fanline_process_") and not name.endswith("_created")
    }
    assert counted - families == set()


def test_the_numbers_move_with_one_turn(observed: Observed) -> None:
    """By exactly what happened, between two scrapes."""
    grown = observed.grown
    assert grown("fanline_messages_accepted_total") == 1
    assert grown("fanline_turns_started_total", attempt="first") == 1
    assert grown("fanline_turns_started_total", attempt="again") == 0
    assert grown("fanline_turns_finished_total", status="completed") == 1
    assert grown("fanline_turns_failed_total") == 0
    for name in ("turn_seconds", "turn_queue_seconds", "first_text_seconds"):
        assert grown(f"fanline_{name}_count") == 1, name
    assert grown("fanline_model_call_seconds_count", outcome="ok") == 2
    assert grown("fanline_tool_call_seconds_count", outcome="ok") == 1
    assert grown("fanline_tokens_total", kind="prompt") == 31 + 57
    assert grown("fanline_tokens_total", kind="completion") == 8 + 3
    assert grown("fanline_frames_refused_total", code="bad_json") == 1
    assert grown("fanline_refusals_total", reason="session_id") == 1
    # The second tab's first load; and the first tab's, whose log was empty until then.
    assert grown("fanline_catch_ups_total") == 2
    assert grown("fanline_deliveries_total") > 0
    assert grown("fanline_event_to_socket_seconds_count") > 0


def test_what_is_at_rest_after_the_turn_is_shown_as_such(observed: Observed) -> None:
    gateway, worker = observed.after
    assert gateway.value("fanline_ready") == 1
    assert gateway.value("fanline_probe_age_seconds") < 60
    assert observed.before[0].value("fanline_tabs") == 1
    assert worker.value("fanline_slots") == 32
    for name in ("turns_running", "emitter_waiting_events", "emitter_waiting_bytes"):
        assert worker.value(f"fanline_{name}") == 0


def test_a_legend_names_labels_that_are_left_of_its_samples() -> None:
    for target in TARGETS:
        left = read_expression(target["expr"]).grouped_by
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert named <= (GIVEN_BY_PROMETHEUS if left is None else left), target


def test_no_two_panels_of_the_dashboard_are_in_one_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        aside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert aside or apart, (one, other)
        assert one["x"] + one["w"] <= 24


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_says_what_is_wrong_and_how_urgent_it_is(rule: dict[str, Any]) -> None:
    """In labels that the expression leaves."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "description"}
    asked = read_expression(rule["expr"])
    said = " ".join(rule["annotations"].values())
    left = GIVEN_BY_PROMETHEUS if asked.grouped_by is None else asked.grouped_by
    assert set(re.findall(r"\$labels\.(\w+)", said)) <= left
    assert re.search(r"[<>]|==|absent\(|unless", rule["expr"]), "it must compare"


def test_no_two_rules_have_one_name() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(name.startswith("Fanline") for name in names)


def test_the_page_names_every_metric_and_no_other(observed: Observed) -> None:
    documented = {
        name_in(row["metric"]): set(re.findall(r"^`(\w+)`", row["labels"]))
        for table in tables_of(SECTIONS["Metrics"])
        for row in table
    }
    counted = {
        name: set(labels) - {"le"}
        for two in observed.after
        for name, labels, _ in two.samples
        if not name.endswith(("_bucket", "_sum", "_created"))
        and not name.startswith("fanline_process_")
    }
    assert documented.pop("fanline_process_*") == set()
    assert documented == {name.removesuffix("_count"): has for name, has in counted.items()}


def test_the_page_says_of_every_alert_what_to_look_at() -> None:
    (table,) = tables_of(SECTIONS["Dashboard and alerts"])
    told = {name: row["urgency"] for row in table for name in re.findall(r"`(\w+)`", row["alert"])}
    assert told == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}
