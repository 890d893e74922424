"""Prometheus and Grafana of the compose file: what they are given is there, and names what is."""

from typing import Any

import yaml

from gateway.settings import DEFAULT_ORIGINS
from tests.deploy.files import OURS, SERVICES
from tests.docs.markdown import ROOT, read_page

PROMETHEUS: dict[str, Any] = yaml.safe_load(read_page("deploy/prometheus/prometheus.yml"))


def test_prometheus_scrapes_every_process_where_it_serves_its_metrics() -> None:
    """Each by its service's name, which stands for all of its containers."""
    found = {
        name: config["port"]
        for job in PROMETHEUS["scrape_configs"]
        for config in job["dns_sd_configs"]
        for name in config["names"]
    }
    assert found == {name: int(SERVICES[name]["environment"]["METRICS_PORT"]) for name in OURS}
    for name in OURS:
        assert SERVICES[name]["environment"]["METRICS_HOST"] == "0.0.0.0"
    folder, target, mode = SERVICES["prometheus"]["volumes"][0].split(":")
    assert (target, mode) == ("/etc/prometheus", "ro")  # where its image looks for prometheus.yml
    assert all((ROOT / folder / rules).is_file() for rules in PROMETHEUS["rule_files"])


def test_grafana_finds_its_dashboard_and_where_to_ask() -> None:
    """What is mounted is there, at the places that the files name."""
    grafana = SERVICES["grafana"]
    volumes: list[list[str]] = [volume.split(":") for volume in grafana["volumes"]]
    mounted = {target: source for source, target, _ in volumes}
    assert all((ROOT / source).is_file() for source in mounted.values())
    provisioning = "/etc/grafana/provisioning"
    (source,) = yaml.safe_load(read_page("deploy/grafana/datasources.yml"))["datasources"]
    (provider,) = yaml.safe_load(read_page("deploy/grafana/dashboards.yml"))["providers"]
    dashboard = f"{provider['options']['path']}/fanline.json"
    assert {dashboard, f"{provisioning}/datasources/fanline.yml"} <= set(mounted)
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == dashboard
    port = SERVICES["prometheus"]["ports"][0].rpartition(":")[2]
    assert (source["type"], source["url"]) == ("prometheus", f"http://prometheus:{port}")


def test_no_page_of_another_service_may_open_sockets() -> None:
    """An origin is allowed by its port: none that is published here is one of those."""
    published = {
        int(port.split(":")[1])
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
        if name != "proxy"
    }
    assert not published & {int(origin.rpartition(":")[2]) for origin in DEFAULT_ORIGINS}
