"""The files an operator is given say what the program does: settings, metrics, commands, routes."""

import json
import re
from pathlib import Path

import yaml

from bursar.config import HttpSettings, PortfolioSettings
from bursar.desk.metrics import NONE
from bursar.serve.meter import Meter, exposition
from bursar.serve.routes import READS, WRITES
from bursar.serve.transacted import figures

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
SERVICE = (ROOT / "src" / "bursar" / "serve" / "service.py").read_text(encoding="utf-8")


def test_the_compose_file_has_the_service_and_its_servers_and_no_password():
    told = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    services = told["services"]
    assert set(services) == {"bursar", "postgres", "redis"}
    assert services["redis"]["command"][1:3] == ["--appendonly", "yes"]
    assert "timescale" in services["postgres"]["image"]
    assert services["bursar"]["ports"] == ["127.0.0.1:8004:8004"]
    known = {f"PORTFOLIO_{name.upper()}" for name in PortfolioSettings.model_fields}
    assert set(services["bursar"]["environment"]) <= known
    passwords = re.findall(r"POSTGRES_PASSWORD\S*", str(told))
    assert all("POSTGRES_PASSWORD:?" in each or each.endswith("':") for each in passwords)


def test_the_image_runs_as_nobody_in_particular_and_its_settings_are_settings():
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert "USER bursar" in lines
    assert "HEALTHCHECK" in lines
    assert "PORTFOLIO_HTTP__HOST" in lines
    assert set(re.findall(r"PORTFOLIO_HTTP__(\w+)", lines)) <= {
        name.upper() for name in HttpSettings.model_fields
    }


def test_every_metric_is_on_the_page_and_every_panel_asks_for_one():
    made = set(re.findall(r'"(bursar_\w+)"', SERVICE))
    told = exposition(Meter(), figures(NONE)).decode()
    made |= set(re.findall(r"^# TYPE (bursar_\w+?)(?:_total)? ", told, re.MULTILINE))
    for name in made:
        assert f"`{name}" in OPERATIONS, name
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"bursar_\w+", target["expr"])
    }
    for name in asked:
        assert re.sub(r"_(total|bucket)$", "", name) in made, name


def test_the_pages_name_every_setting_and_every_route():
    for name in HttpSettings.model_fields:
        assert f"{name}:" in OPERATIONS
    for route in (*READS, *WRITES):
        assert f"`{route.name}`" in API, route.name
