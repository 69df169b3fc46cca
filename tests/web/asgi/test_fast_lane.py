"""A check-in: every answer it can get, and nothing that was not stored is called "ok"."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.store.db import encryption
from stillhere.store.installation import relink
from stillhere.store.watches.apply import Change, ChangeResult
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.access.rate_limit import MOST_ADDRESSES, MOST_MISSES, Guesses
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.lane import FORM, PAGE, ask, lane, tap

NOBODY = "/k/" + "a" * 27


@pytest.fixture
def path(night: SamsNight) -> str:
    """Where Sam's check-ins go: a marked watch."""
    night.start()
    night.does(ev.Marked())
    return "/k/" + key_of(night)


def key_of(night: SamsNight) -> str:
    return encryption.key_for("watch", night.row().nonce)


# --- counted --------------------------------------------------------------------------------------


def test_ok_is_said_when_it_is_stored(path: str, night: SamsNight, clock: Clock) -> None:
    clock.advance(30)
    answered = tap(path, {"age_ms": 1000, "seq": 4})
    assert answered.status == 200
    row = night.row()
    assert (row.seen_at, row.seq) == (clock.now - 1000, 4)
    assert answered.json == {
        "ok": True,
        "state": "open",
        "now": clock.now,
        "next_ask_at": row.next_ask_at,
    }


def test_a_button_on_the_wall_needs_no_body(path: str, night: SamsNight, clock: Clock) -> None:
    clock.advance(20)
    assert tap(path).status == 200
    assert night.row().seen_at == clock.now


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b"ping"), ("application/octet-stream", b"\x00\xff"), ("", b"click")],
)
def test_a_body_of_another_kind_is_no_reason_to_miss_a_tap(
    path: str, night: SamsNight, clock: Clock, kind: str, body: bytes
) -> None:
    clock.advance(20)
    assert tap(path, body, {"Content-Type": kind}).status == 200
    assert night.row().seen_at == clock.now


def test_a_plain_form_is_sent_back_to_its_page(path: str, night: SamsNight, clock: Clock) -> None:
    clock.advance(20)
    answered = tap(path, b"seq=7&age_ms=500", PAGE)
    assert (answered.status, answered.headers["location"]) == (303, path)
    assert (night.row().seen_at, night.row().seq) == (clock.now - 500, 7)
    assert tap(path, b"back=watch", PAGE).headers["location"] == "/watch"
    assert tap(path, b"back=//evil.example.org", PAGE).headers["location"] == path


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json", "Content-Type": FORM},
        {"Sec-Fetch-Mode": "cors", "Content-Type": FORM},
        {"X-Requested-With": "fetch", "Content-Type": FORM, "Accept": "text/html"},
    ],
)
def test_a_script_gets_json_even_for_a_form(path: str, headers: dict[str, str]) -> None:
    assert tap(path, b"seq=1", headers).json["ok"] is True


def test_a_form_without_a_word_about_itself_is_a_form(path: str) -> None:
    assert tap(path, b"seq=1", {"Content-Type": FORM}).status == 303


def test_a_body_in_pieces_is_read_whole(path: str, night: SamsNight) -> None:
    chunks = [b'{"se', b"", b'q": 9', b"}"]
    headers = {"Content-Type": "application/json"}
    assert asyncio.run(ask(lane(), path, chunks, headers)).status == 200
    assert night.row().seq == 9


def test_one_kept_from_before_the_alarm_does_not_stand_it_down(
    path: str, night: SamsNight, clock: Clock
) -> None:
    clock.advance(60)
    tick_all()
    clock.advance(60)
    tick_all()
    assert night.row().state == State.ALARM
    clock.advance(10)
    answered = tap(path, {"age_ms": 15_000, "seq": 1})
    assert (answered.status, answered.json["state"]) == (200, "alarm")
    assert tap(path, {"age_ms": 0, "seq": 2}).json["state"] == "open"


def test_in_the_same_instant_as_the_alarm_the_person_is_heard(
    path: str, night: SamsNight, clock: Clock
) -> None:
    clock.advance(60)
    tick_all()
    clock.advance(60)
    assert tap(path, {"age_ms": 0}).json["state"] == "open"
    tick_all()
    assert night.row().state == State.OPEN


def test_a_crowd_is_answered_one_by_one(path: str, night: SamsNight) -> None:
    app = lane()

    async def crowd() -> list[int]:
        bodies = [json.dumps({"seq": seq}).encode() for seq in range(200)]
        headers = {"Content-Type": "application/json"}
        taps = [ask(app, path, [body], headers) for body in bodies]
        return [answered.status for answered in await asyncio.gather(*taps)]

    assert set(asyncio.run(crowd())) == {200}
    assert night.row().seq == 199


# --- guessing -------------------------------------------------------------------------------------


def test_only_unknown_keys_are_slowed_down(path: str, clock: Clock) -> None:
    guesses = Guesses()
    tries = [tap(NOBODY, guesses=guesses).status for _ in range(MOST_MISSES + 2)]
    assert tries == [404] * MOST_MISSES + [429] * 2
    throttled = tap(NOBODY, guesses=guesses)
    assert throttled.headers["retry-after"] == "60"
    assert tap(path, guesses=guesses).status == 200
    clock.advance(60)
    assert tap(NOBODY, guesses=guesses).status == 404


def test_another_address_is_another_guesser() -> None:
    app = lane(guesses=Guesses())

    def guess(address: str) -> int:
        return asyncio.run(ask(app, NOBODY, client=(address, 1))).status

    assert {guess("192.0.2.1") for _ in range(MOST_MISSES + 1)} == {404, 429}
    assert guess("192.0.2.2") == 404


def test_behind_a_proxy_the_guesser_is_who_the_proxy_says(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, base_url="https://stillhere.example.org")
    app = lane(guesses=Guesses())

    def guess(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return asyncio.run(ask(app, NOBODY, headers=headers, client=("127.0.0.1", 1))).status

    assert {guess("10.0.0.1, 192.0.2.1") for _ in range(MOST_MISSES + 1)} == {404, 429}
    assert guess("192.0.2.1, 192.0.2.2") == 404


def test_guesses_are_forgotten_before_they_fill_the_memory(clock: Clock) -> None:
    guesses = Guesses()
    for number in range(MOST_ADDRESSES + 50):
        guesses.missed(f"address {number}")
    assert len(guesses._seen) == MOST_ADDRESSES


# --- what else ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_link_checks_nobody_in(
    path: str, night: SamsNight, clock: Clock, method: str
) -> None:
    clock.advance(20)
    before = night.row()
    assert asyncio.run(ask(lane(), path, method=method)).status == 200
    after = night.row()
    assert (after.version, after.seen_at) == (before.version, before.seen_at)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_for_check_ins(path: str, night: SamsNight, method: str) -> None:
    before = night.row().version
    assert asyncio.run(ask(lane(), path, method=method)).status in (403, 405)
    assert night.row().version == before


def test_every_answer_is_kept_by_nobody_and_told_to_nobody(path: str) -> None:
    for answered in (tap(path), tap(path, b"", PAGE), tap(NOBODY), tap(NOBODY, b"", PAGE)):
        assert answered.headers["cache-control"] == "no-store"
        assert answered.headers["referrer-policy"] == "same-origin"
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert "microphone=()" in answered.headers["permissions-policy"]
        assert "default-src 'none'" in answered.headers["content-security-policy"]


def test_no_key_is_ever_logged(
    path: str,
    caplog: pytest.LogCaptureFixture,
    brittle: tuple[GroupCommit[Change, ChangeResult], list[Exception]],
) -> None:
    writer, trouble = brittle
    trouble.append(OperationalError("locked"))
    with caplog.at_level(logging.DEBUG):
        tap(path)
        tap(path, writer=writer)
        tap(path, b"{", {"Content-Type": "application/json"})
        asyncio.run(ask(lane(), path, method="GET"))
    assert path.removeprefix("/k/") not in caplog.text


def test_help_is_a_page_s_and_reaches_it(path: str, night: SamsNight) -> None:
    assert asyncio.run(ask(lane(), f"{path}/help", [b""], PAGE)).status == 303
    assert night.row().state == State.ALARM


def test_a_link_from_before_the_links_key_was_changed_counts_for_nobody(
    path: str, night: SamsNight, clock: Clock, settings: Settings
) -> None:
    old, new = encryption.derived(settings.STILLHERE.link_keys, encryption.LINK), b"n" * 32
    assert relink.rekey(old, new) > 0
    clock.advance(30)
    seen = night.row().seen_at
    assert tap(path).status == 404
    assert night.row().seen_at == seen
    links = {**settings.STILLHERE.link_keys, encryption.LINK: new}
    settings.STILLHERE = replace(settings.STILLHERE, link_keys=links)
    assert tap("/k/" + key_of(night)).status == 200
    assert night.row().seen_at == clock.now
