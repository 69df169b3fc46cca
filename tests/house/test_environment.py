"""Settings: what the environment may say, and how a mistake is told."""

from __future__ import annotations

import pytest

from stillhere.config import databases
from stillhere.config.environment import SettingError, read


def test_a_laptop_needs_no_setting_at_all() -> None:
    settings = read({"HOME": "/home/ana"})
    assert settings.port == 8420
    assert settings.base_url.startswith("http://")
    assert settings.smtp_url == settings.coordinator == settings.heartbeat_url == ""
    assert (settings.keep_quiet_h, settings.keep_alarm_days) == (24, 30)
    assert not settings.demo


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("STILLHERE_PORT", "http"),
        ("STILLHERE_PORT", "0"),
        ("STILLHERE_PORT", "65536"),
        ("STILLHERE_PORT", "\uff18\uff14"),
        ("STILLHERE_BASE_URL", "stillhere.example.org"),
        ("STILLHERE_BASE_URL", "https://"),
        ("STILLHERE_BASE_URL", "https://example.org:port"),
        ("STILLHERE_BASE_URL", "https://example.org/stillhere"),
        ("STILLHERE_BASE_URL", "https://[::1"),
        ("STILLHERE_DATABASE_URL", "mysql://example.org/db"),
        ("STILLHERE_SMTP_URL", "mail.example.org"),
        ("STILLHERE_SMTP_URL", "smtp://"),
        ("STILLHERE_MAIL_FROM", "Ruth"),
        ("STILLHERE_COORDINATOR", "Ruth"),
        ("STILLHERE_HEARTBEAT_URL", "ftp://example.org"),
        ("STILLHERE_KEEP_QUIET_H", "0"),
        ("STILLHERE_KEEP_ALARM_DAYS", "a month"),
        ("STILLHERE_LOG", "loud"),
        ("STILLHERE_DEMO", "yes"),
        ("STILLHERE_CHAT_PRIVATE", "maybe"),
        ("STILLHERE_COUNTRY", "England"),
        ("STILLHERE_COUNTRY", "UK"),
    ],
)
def test_a_bad_setting_is_one_sentence_that_names_it(name: str, typed: str) -> None:
    with pytest.raises(SettingError) as told:
        read({name: typed})
    assert str(told.value).startswith(name)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 160


def test_a_password_in_a_bad_address_is_not_repeated() -> None:
    with pytest.raises(SettingError) as told:
        read({"STILLHERE_SMTP_URL": "smpt://ruth:swordfish@mail.example.org"})
    assert "swordfish" not in str(told.value)


@pytest.mark.parametrize(
    ("smtp", "base", "sender"),
    [
        ("smtp://ruth%40example.org:pw@mail.example.org", "", "Lamp <ruth@example.org>"),
        (
            "smtp://ruth:pw@mail.example.org",
            "https://lamp.example.org",
            "Lamp <lamp@lamp.example.org>",
        ),
        ("", "http://192.0.2.7:8420", ""),
    ],
)
def test_mails_come_from_an_address_that_exists(smtp: str, base: str, sender: str) -> None:
    settings = read({"STILLHERE_SMTP_URL": smtp, "STILLHERE_BASE_URL": base})
    assert settings.mail_from == sender


@pytest.mark.parametrize("base", ["http://192.0.2.7:8420", "http://localhost:8420"])
def test_where_no_sender_can_be_found_one_must_be_given(base: str) -> None:
    given = {"STILLHERE_SMTP_URL": "smtp://127.0.0.1:25", "STILLHERE_BASE_URL": base}
    with pytest.raises(SettingError, match="STILLHERE_MAIL_FROM"):
        read(given)
    assert read({**given, "STILLHERE_MAIL_FROM": "lamp@example.org"}).mail_from


def test_several_postgresql_hosts_become_lists() -> None:
    made = databases.postgresql(
        "postgresql://ruth:p%40ss@h1:5432,h2:5433,[::1]/db?target_session_attrs=read-write"
    )
    assert (made["HOST"], made["PORT"]) == ("h1,h2,::1", "5432,5433,5432")
    assert (made["USER"], made["PASSWORD"], made["NAME"]) == ("ruth", "p@ss", "db")
    assert made["OPTIONS"]["target_session_attrs"] == "read-write"


def test_of_several_hosts_the_one_that_takes_writes_is_meant() -> None:
    made = databases.postgresql("postgresql://h1,h2,h3/db")
    assert made["OPTIONS"]["target_session_attrs"] == "read-write"
    assert made["OPTIONS"]["connect_timeout"] == "2"
    made = databases.postgresql("postgresql://h1,h2/db?target_session_attrs=any&connect_timeout=7")
    assert made["OPTIONS"]["target_session_attrs"] == "any"
    assert made["OPTIONS"]["connect_timeout"] == "7"
    assert "target_session_attrs" not in databases.postgresql("postgresql://h1/db")["OPTIONS"]


def test_a_postgresql_socket_folder_is_a_host() -> None:
    made = databases.postgresql("postgres:///db?host=/run/postgresql")
    assert (made["HOST"], made["PORT"], made["NAME"]) == ("/run/postgresql", "", "db")


@pytest.mark.parametrize(
    "url", ["postgresql://a@b@h/db", "postgresql://h:0/db", "postgresql://h:99999/db"]
)
def test_a_bad_postgresql_address_is_told_without_it(url: str) -> None:
    with pytest.raises(SettingError, match="STILLHERE_DATABASE_URL") as told:
        databases.postgresql(url)
    assert url not in str(told.value)
