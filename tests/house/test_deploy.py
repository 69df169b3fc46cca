"""The recipes under deploy/ keep what they promise, as far as that can be read in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stillhere.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
ENVIRONMENTS = sorted(DEPLOY.rglob("*.env.example"))


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def test_what_was_acknowledged_stands_on_two_machines() -> None:
    dcs = read("patroni/patroni.yml")["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["synchronous_mode_strict"] is True
    assert dcs["postgresql"]["parameters"]["synchronous_commit"] == "on"
    assert dcs["failsafe_mode"] is True


def test_a_dead_machine_costs_as_little_as_patroni_allows() -> None:
    dcs = read("patroni/patroni.yml")["bootstrap"]["dcs"]
    assert dcs["ttl"] == 20
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"], "Patroni would change it"
    assert dcs["primary_start_timeout"] == 0


def test_every_command_that_is_started_is_there() -> None:
    text = "\n".join(path.read_text() for path in FILES)
    started = set(re.findall(r"/opt/stillhere/bin/stillhere (\w+)", text))
    services = read("compose.yaml")["services"].values()
    started |= {service["command"][0] for service in services if "command" in service}
    assert {"up", "web", "engine", "migrate"} <= started
    assert started <= set(COMMANDS)


def test_every_setting_that_is_made_is_documented() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    made = {
        name for path in FILES for name in re.findall(r"\bSTILLHERE_[A-Z_]+\b", path.read_text())
    }
    assert "STILLHERE_DATABASE_URL" in made
    unknown = {name for name in made if f"`{name}`" not in documented}
    assert unknown == set()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_an_environment_file_is_one_setting_a_line(path: Path) -> None:
    for line in path.read_text().splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[A-Z0-9_]+=\S.*", line), line


def test_no_proxy_of_ours_keeps_a_log() -> None:
    """Addresses hold keys."""
    lines = (DEPLOY / "Caddyfile").read_text().splitlines()
    assert not [line for line in lines if line.strip().startswith(("log", "health_uri"))]


def test_only_fictional_hosts_stand_in_the_recipes() -> None:
    own = {"127.0.0.1", "0.0.0.0"}
    for path in FILES:
        for address in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", path.read_text()):
            assert address in own or address.startswith("192.0.2."), (path, address)
