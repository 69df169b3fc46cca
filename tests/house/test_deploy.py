"""The recipes under deploy/ keep what they promise, as far as that can be read in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stillhere.channels.carriers.carrier import MOST_PICTURE, MOST_WEBHOOK
from stillhere.cli.main import COMMANDS
from stillhere.config import environment
from stillhere.web.asgi.body_limits import PAGE

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


def test_nginx_keeps_no_log_either() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert "access_log off;" in text
    assert re.search(r"^ *error_log \S+ crit;$", text, re.MULTILINE)


def test_nginx_speaks_no_tls_that_is_out_of_date() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"^ *ssl_protocols (.+);$", text, re.MULTILINE) == ["TLSv1.2 TLSv1.3"]
    (ciphers,) = re.findall(r"^ *ssl_ciphers (.+);$", text, re.MULTILINE)
    assert all(re.fullmatch(r"ECDHE\+(AESGCM|CHACHA20)", each) for each in ciphers.split(":"))


# Made by the recipes themselves, by the demo, or given to the backup alone.
NOT_A_HOSTS = ("STILLHERE_DATA", "STILLHERE_DEMO", *environment.BACKUP_PASSPHRASE)


@pytest.mark.parametrize("name", sorted(set(environment.SETTINGS) - set(NOT_A_HOSTS)))
def test_every_setting_a_host_may_need_can_be_given(name: str) -> None:
    example = (DEPLOY / "stillhere.env.example").read_text()
    assert re.search(rf"^#?{name}=\S", example, re.MULTILINE)
    unit = (DEPLOY / "stillhere.service").read_text()
    assert "EnvironmentFile=/etc/stillhere/stillhere.env" in unit
    for service, made in read("compose.yaml")["services"].items():
        if service != "postgres":
            assert made["env_file"] == "stillhere.env", service


def test_the_example_can_be_used_as_it_stands_and_with_all_of_it() -> None:
    lines = (DEPLOY / "stillhere.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line.startswith("STILLHERE_"))
    assert environment.read(given).base_url == "https://lamp.example.org"
    lines = [line.removeprefix("#") for line in lines]
    given = dict(line.split("=", 1) for line in lines if line.startswith("STILLHERE_"))
    found = environment.read(given)
    assert (found.mail_from, found.program) == (
        "Lamp <lamp@example.org>",
        "Example County Neighbours",
    )
    assert found.carriers[0].sender == "+12025550100"


def test_what_containers_are_given_is_never_left_unfilled() -> None:
    """An old podman-compose hands on ${NAME:-} as it stands; ${NAME:?why} it understands."""
    text = (DEPLOY / "compose.yaml").read_text()
    assert "${" in text
    assert all(
        re.match(r"\$\{\w+:\?[^}]+\}", text[at.start() :]) for at in re.finditer(r"\$\{", text)
    )


def test_neither_keys_nor_people_enter_an_image() -> None:
    rules = [line for line in (ROOT / ".containerignore").read_text().splitlines() if line]
    rules = [rule for rule in rules if not rule.startswith("#")]
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "**", "nothing, unless it is named"
    assert not let_in & {"data", "deploy", "."}
    recipe = (DEPLOY / "Containerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (.+)$", recipe, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert {source.split("/")[0] for source in copied} == let_in
    assert {"**/*.env", "**/data"} <= set(rules)


def test_a_backup_can_be_made_in_the_image() -> None:
    """The client is of the server's version: an older pg_dump refuses."""
    (server,) = re.findall(r"library/postgres:(\d+)", (DEPLOY / "compose.yaml").read_text())
    assert f"postgresql-client-{server}" in (DEPLOY / "Containerfile").read_text()


def test_only_fictional_hosts_stand_in_the_recipes() -> None:
    network = read("compose.yaml")["networks"]["default"]["ipam"]["config"][0]
    inside = {network["gateway"], network["subnet"].partition("/")[0]}
    own = {"127.0.0.1", "0.0.0.0", *inside}
    for path in FILES:
        for address in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", path.read_text()):
            assert address in own or address.startswith("192.0.2."), (path, address)


def test_a_proxy_says_who_is_asking_and_is_believed() -> None:
    compose = read("compose.yaml")
    [network] = compose["networks"]["default"]["ipam"]["config"]
    assert compose["x-stillhere"]["environment"]["STILLHERE_PROXIES"] == network["gateway"]
    nginx = (DEPLOY / "nginx.conf").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx, "what visitors say is passed"


UNITS = {"k": 1024, "m": 1024**2, "KB": 1000, "MB": 1000**2}


def most(said: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w+)", said).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def test_the_proxies_let_through_what_we_read_and_little_more() -> None:
    """Pictures that an Android phone sends along, on their own address alone."""
    nginx = (DEPLOY / "nginx.conf").read_text()
    [everywhere] = re.findall(r"^    client_max_body_size (\w+);", nginx, re.MULTILINE)
    [where] = re.findall(r"location ~ (\S+) \{\s+client_max_body_size (\w+);", nginx)
    assert re.search(where[0], "/in/phone/event")
    assert not re.search(where[0], "/in/phone/text")
    caddy = (DEPLOY / "Caddyfile").read_text()
    bounds = dict(re.findall(r"request_body (@\w+) \{\s+max_size (\w+)", caddy))
    assert re.findall(r"(@\w+) ((?:not )?path .*)", caddy) == [
        ("@pictures", "path /in/*/event"),
        ("@others", "not path /in/*/event"),
    ]
    for pages, pictures in ((everywhere, where[1]), (bounds["@others"], bounds["@pictures"])):
        assert MOST_WEBHOOK < most(pages) <= PAGE.most
        assert MOST_PICTURE < most(pictures) < 2 * MOST_PICTURE
