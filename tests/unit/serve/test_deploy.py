"""The files an operator is given say what the program does: settings, metrics, commands, routes."""

import asyncio
import json
import re
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator  # type: ignore[import-untyped]

from bursar.app.events import trade_store_of
from bursar.app.keeping import stored
from bursar.config import HttpSettings, PortfolioSettings
from bursar.desk.metrics import NONE
from bursar.serve.meter import Meter, exposition
from bursar.serve.routes import READS, WRITES
from bursar.serve.transacted import figures
from tests.servers.loopback import web

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


def test_the_compose_file_is_of_the_published_form_and_of_one_piece():
    told = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    form = files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json")
    Validator(json.loads(form.read_text(encoding="utf-8"))).validate(told)
    services = told["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert services[needed]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        kept = {each.partition(":")[0] for each in service["volumes"]}
        assert kept <= set(told["volumes"]), name
    built = services["bursar"]["build"]
    context = (ROOT / "deploy" / built["context"]).resolve()
    assert context == ROOT
    assert (context / built["dockerfile"]).is_file()
    # What may be written in a container that is otherwise read-only.
    assert {each.partition(":")[2] for each in services["bursar"]["volumes"]} == {"/data"}
    assert services["bursar"]["tmpfs"] == ["/tmp"]  # noqa: S108 (of the container)


def test_what_the_compose_file_sets_opens_a_book_with_its_trades_again_and_again(
    database, monkeypatch
):
    told = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    own = told["services"]["bursar"]["environment"]
    place = re.compile(r"postgresql://bursar:\$\{POSTGRES_PASSWORD:\?[^}]*\}@postgres/bursar")
    assert place.fullmatch(own["PORTFOLIO_BOOK"])
    for name, said in own.items():
        monkeypatch.setenv(name, place.sub(lambda _: database, said))
    settings = PortfolioSettings()
    for _ in range(2):
        store = stored(settings)
        trades = trade_store_of(settings)
        assert store.head().seq == 0
        trades.close()
        store.close()


def dockerfile():
    """The instructions of the image, each with what it says."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def test_the_image_copies_what_is_there_and_starts_what_the_package_has():
    told = dockerfile()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    copied = [said.split()[:-1] for word, said in told if word == "COPY" and "--from" not in said]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert {"pyproject.toml", "README.md", "LICENSE", "src"} == {
        n for names in copied for n in names
    }
    (run,) = [said for word, said in told if word == "RUN" and "pip install" in said]
    (extras,) = re.findall(r"\.\[([\w,]+)\]", run)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert {"export", "graphql", "report"} <= set(extras.split(","))  # what routes ask for
    python = [said for word, said in told if word == "FROM"]
    assert all(re.match(r"python:3\.1[1-9]-slim\b", each) for each in python)
    said = dict(told)
    assert json.loads(said["ENTRYPOINT"]) == list(project["scripts"])
    assert json.loads(said["CMD"]) == ["serve"]
    assert int(said["EXPOSE"]) == PortfolioSettings().http.port
    assert said["USER"] == "bursar"


@pytest.mark.parametrize("status,code", [(200, 0), (503, 1)])
def test_the_health_check_of_the_image_says_how_it_stands(status, code):
    check = json.loads(dict(dockerfile())["HEALTHCHECK"].partition("CMD")[2])
    assert check[:2] == ["python", "-c"]

    async def ask():
        async with web((status, b"{}")) as there:
            asked = check[2].replace("http://127.0.0.1:8004", there.url)
            ran = await asyncio.create_subprocess_exec(
                sys.executable, "-c", asked, stderr=asyncio.subprocess.DEVNULL
            )
            return await ran.wait(), there.asked[0][0]

    assert asyncio.run(ask()) == (code, "GET /health HTTP/1.1")


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
