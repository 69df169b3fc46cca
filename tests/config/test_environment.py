"""Settings: what the environment may say, and how a mistake is told."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stillhere.config import databases
from stillhere.config.environment import SETTINGS, SettingError, examine, read, strays


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
        ("STILLHERE_PORT", "8420.0"),
        ("STILLHERE_PORT", "-1"),
        ("STILLHERE_PROXIES", "caddy"),
        ("STILLHERE_PROXIES", "172.30.84.1/24"),
        ("STILLHERE_HOST", "a b"),
        ("STILLHERE_HOST", "1.2.3"),
        ("STILLHERE_HOST", "8000"),
        ("STILLHERE_HOST", "127.0.0.1/8"),
        ("STILLHERE_BASE_URL", "https://lamp.example.org:8420"),
        ("STILLHERE_BASE_URL", "https://lamp.example.org?x=1"),
        ("STILLHERE_BASE_URL", "https://lamp.exa mple.org"),
        ("STILLHERE_BASE_URL", "https://ruth:swordfish@lamp.example.org"),
        ("STILLHERE_BASE_URL", "lamp.example.org:8420"),
        ("STILLHERE_DATABASE_URL", "stillhere"),
        ("STILLHERE_DATABASE_URL", "postgresql://ruth@host:port/db"),
        ("STILLHERE_SMTP_URL", "smtp://mail.example.org:99999"),
        ("STILLHERE_SMTP_URL", "https://mail.example.org"),
        ("STILLHERE_MAIL_FROM", "Lamp <lamp@localhost>"),
        ("STILLHERE_HEARTBEAT_URL", "watcher.example.org/x"),
        ("STILLHERE_EXIT_URL", "www.example.org"),
        ("STILLHERE_EXIT_URL", "https://www.example.org https://www.example.com"),
        ("STILLHERE_WARNING_FEEDS", "https://example.org/feed none"),
        ("STILLHERE_KEEP_QUIET_H", "24h"),
        ("STILLHERE_KEEP_QUIET_H", "99999999999"),
        ("STILLHERE_KEEP_ALARM_DAYS", "0"),
        ("STILLHERE_CHAT_PRIVATE", "2"),
        ("STILLHERE_LOG", "info,debug"),
        ("STILLHERE_COUNTRY", "USA"),
        ("STILLHERE_COUNTRY", "1"),
        ("STILLHERE_COUNTRIES", "CA, Mexico"),
        ("STILLHERE_CHECKED_PLACE", "a street " * 40),
        ("STILLHERE_PROGRAM", "Neighbours " * 40),
        ("STILLHERE_DEMO", "https://example.org"),
        ("STILLHERE_CARRIERS", "none"),
        ("STILLHERE_DATA", __file__),
        ("STILLHERE_DATA", f"{__file__}/data"),
    ],
)
def test_a_bad_setting_is_one_sentence_that_names_it(name: str, typed: str) -> None:
    with pytest.raises(SettingError) as told:
        read({name: typed})
    assert str(told.value).startswith(name)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 230 if name == "STILLHERE_DATA" else 160
    assert "swordfish" not in str(told.value)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_not_utf_8_is_refused_before_a_page_dies_of_it(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} holds letters that are not UTF-8") as told:
        read({name: os.fsdecode(b"Caf\xe9")})
    str(told.value).encode()
    with pytest.raises(SettingError, match="is no setting") as told:
        read({os.fsdecode(b"STILLHERE_CAF\xe9"): "x"})
    str(told.value).encode()


def test_a_host_that_is_named_twice_has_one_voice_about_the_time() -> None:
    urls = "https://a.example.org/1 https://b.example.org https://a.example.org/2"
    hosts = [urlsplit(url).hostname for url in read({"STILLHERE_TIME_URLS": urls}).time_urls]
    assert hosts == ["a.example.org", "b.example.org"]


@pytest.mark.parametrize("other", ["127.0.0.1", "[::1]", "localhost.", "0.0.0.0", "LOCALHOST"])
def test_two_names_of_this_machine_are_one_voice(other: str) -> None:
    urls = f"https://localhost https://{other}:444"
    with pytest.raises(SettingError, match="two different hosts"):
        read({"STILLHERE_TIME_URLS": urls})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("STILLHERE_CARRIER", "STILLHERE_CARRIERS"),
        ("STILLHERE_SMPT_URL", "STILLHERE_SMTP_URL"),
        ("STILLHERE_HEARTBEAT", "STILLHERE_HEARTBEAT_URL"),
        ("stillhere_port", "STILLHERE_PORT"),
        ("Stillhere_Prot", "STILLHERE_PORT"),
        ("STILLHERE_CARRIERS_", "STILLHERE_CARRIERS"),
        ("STILLHERE_COLOUR", "docs/settings.md"),
    ],
)
@pytest.mark.parametrize("typed", ["swordfish", ""])
def test_a_name_that_is_none_of_ours_is_named_with_the_nearest(
    name: str, meant: str, typed: str
) -> None:
    with pytest.raises(SettingError, match=f"{name} is no setting of Stillhere") as told:
        read({name: typed})
    assert meant in str(told.value)
    assert "swordfish" not in str(told.value)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("typed", ["${LAMP:-}", "${LAMP}", "${LAMP:?say it}", '"${LAMP:-}"'])
def test_what_nobody_filled_in_is_named(name: str, typed: str) -> None:
    _, wrong = examine({name: typed})
    assert list(wrong) == [name]
    assert "was not filled in" in wrong[name]


@pytest.mark.parametrize("name", sorted(set(SETTINGS) - {"STILLHERE_EXIT_URL"}))
@pytest.mark.parametrize("typed", ["", "  ", '""'])
def test_set_to_nothing_is_not_set(name: str, typed: str) -> None:
    assert read({name: typed, "HOME": "/home/ana"}) == read({"HOME": "/home/ana"})


@pytest.mark.parametrize("typed", ["", "  ", '""'])
def test_an_exit_set_to_nothing_is_a_page_of_our_own(typed: str) -> None:
    assert read({"STILLHERE_EXIT_URL": typed}).exit_url == ""


@pytest.mark.parametrize(
    ("name", "typed", "field", "meant"),
    [
        ("STILLHERE_PORT", ' "8000" ', "port", 8000),
        ("STILLHERE_HOST", "[::1]", "host", "::1"),
        ("STILLHERE_HOST", " '127.0.0.1' ", "host", "127.0.0.1"),
        ("STILLHERE_COUNTRY", "'gb'", "country", "GB"),
        ("STILLHERE_LOG", "INFO", "log", "info"),
        ("STILLHERE_BASE_URL", "https://lamp.example.org/", "base_url", "https://lamp.example.org"),
        ("STILLHERE_BASE_URL", "https://lamp.example.org:8443", "base_url",
         "https://lamp.example.org:8443"),
        ("STILLHERE_MAIL_FROM", '"Lamp <lamp@example.org>"', "mail_from",
         "Lamp <lamp@example.org>"),
        ("STILLHERE_MAIL_FROM", '"Lamp" <lamp@example.org>', "mail_from",
         '"Lamp" <lamp@example.org>'),
        ("STILLHERE_PROGRAM", " Example\n County ", "program", "Example County"),
        ("STILLHERE_WARNING_FEEDS", "https://example.org/a, https://example.org/b",
         "warning_feeds", ("https://example.org/a", "https://example.org/b")),
    ],
)  # fmt: skip
def test_what_is_clear_is_taken_as_it_is_meant(
    name: str, typed: str, field: str, meant: object
) -> None:
    assert getattr(read({name: typed}), field) == meant


@pytest.mark.parametrize(
    ("typed", "write"),
    [
        ("127.0.0.1:8000", "STILLHERE_HOST=127.0.0.1 and STILLHERE_PORT=8000"),
        ("http://127.0.0.1:8000/", "STILLHERE_HOST=127.0.0.1 and STILLHERE_PORT=8000"),
        ("[::1]:8000", "STILLHERE_HOST=::1 and STILLHERE_PORT=8000"),
        ("lamp.example.org:8000", "STILLHERE_HOST=lamp.example.org and STILLHERE_PORT=8000"),
        ("http://127.0.0.1", "STILLHERE_HOST=127.0.0.1"),
        ("https://lamp.example.org/", "STILLHERE_HOST=lamp.example.org"),
        ("8000", "STILLHERE_PORT=8000"),
    ],
)
def test_a_host_with_something_else_says_what_to_write(typed: str, write: str) -> None:
    with pytest.raises(SettingError, match="STILLHERE_HOST") as told:
        read({"STILLHERE_HOST": typed})
    assert f"Write {write}." in str(told.value)


def test_every_wrong_setting_is_found_at_once_and_the_rest_is_read() -> None:
    found, wrong = examine(
        {
            "STILLHERE_CARRIER": "x",
            "STILLHERE_HOST": "127.0.0.1:8000",
            "STILLHERE_COUNTRY": "UK",
            "STILLHERE_SMTP_URL": "smtp://127.0.0.1",
            "STILLHERE_BASE_URL": "lamp.example.org",
            "STILLHERE_KEEP_QUIET_H": "12",
        }
    )
    assert set(wrong) == {
        "STILLHERE_CARRIER", "STILLHERE_HOST", "STILLHERE_COUNTRY", "STILLHERE_BASE_URL",
    }  # fmt: skip
    assert (found.keep_quiet_h, found.country, found.host) == (12, "US", "0.0.0.0")
    with pytest.raises(SettingError, match="3 more: `stillhere check` names them"):
        read(
            {
                "STILLHERE_PORT": "x",
                "STILLHERE_LOG": "x",
                "STILLHERE_COUNTRY": "x",
                "STILLHERE_HOST": "1",
            }
        )


def test_a_country_is_read_before_the_numbers_whatever_their_order() -> None:
    carrier = {"STILLHERE_CARRIERS": "twilio://AC1:t@api.twilio.com?from=07400123456"}
    for order in ({"STILLHERE_COUNTRY": "GB", **carrier}, {**carrier, "STILLHERE_COUNTRY": "GB"}):
        assert read(order).carriers[0].sender == "+447400123456"


def test_reading_settings_makes_nothing(tmp_path: Path) -> None:
    read({"STILLHERE_DATA": str(tmp_path / "data")})
    assert list(tmp_path.iterdir()) == []


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


def test_pages_keep_their_connection_for_seconds_and_look_whether_it_lives() -> None:
    made = [databases.postgresql("postgresql://h1/db"), databases.sqlite(Path("data"))]
    assert [each["CONN_MAX_AGE"] for each in made] == [5, 5]
    assert made[0]["CONN_HEALTH_CHECKS"]


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


TEXTS = "android://ruth:swordfish@192.168.1.20:8080?key=k"


@pytest.mark.parametrize(
    ("typed", "pages"),
    [
        ("ruth@example.org", "ruth@example.org"),
        ("Ruth <ruth@example.org>", "ruth@example.org"),
        (" ntfys://ntfy.sh/ruth , 202-555-0150", "ntfys://ntfy.sh/ruth, +12025550150"),
        ("ruth@example.org,+1 202 555 0150,", "ruth@example.org, +12025550150"),
    ],
)
def test_pages_go_to_several_addresses(typed: str, pages: str) -> None:
    told = read({"STILLHERE_COORDINATOR": typed, "STILLHERE_CARRIERS": TEXTS})
    assert told.coordinator == pages


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("foo://bar", "we know no app foo://"),
        ("ruth@example.org, mailto://ruth:pw@example.org", "we know no app mailto://"),
        ("@example.org", "an e-mail address that is none"),
        ("ruth", "with commas between"),
        ("ruth@example.org, 911", "a phone number that cannot be used"),
        ("202-555-0150", "nothing here can text or call it"),
    ],
)
def test_a_page_that_could_never_arrive_is_refused_with_why(typed: str, why: str) -> None:
    carriers = "" if "nothing here" in why else TEXTS
    with pytest.raises(SettingError, match="STILLHERE_COORDINATOR") as told:
        read({"STILLHERE_COORDINATOR": typed, "STILLHERE_CARRIERS": carriers})
    assert why in str(told.value)
    assert "ruth:pw" not in str(told.value)


@pytest.mark.parametrize(
    "name", ["STILHERE_PORT", "stilhere_port", "stillhere_port", "STILL_HERE_PORT", "SILLHERE_PORT"]
)
def test_a_slip_in_the_beginning_of_a_name_is_found_too(name: str) -> None:
    assert "Did you mean STILLHERE_PORT?" in strays({name: "1"})[name]


@pytest.mark.parametrize("name", ["PORT", "WHERE_PORT", "DISTILLED_PORT", "STILLHERE_PORT"])
def test_names_of_others_are_left_alone(name: str) -> None:
    assert strays({name: "1"}) == {}
