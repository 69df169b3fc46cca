"""A check-in: every answer it can get, and nothing that was not stored is called "ok"."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.store import group, sealed
from stillhere.store.apply import Answer, Change, apply_batch
from stillhere.store.group import GroupCommit
from stillhere.store.models import WatchRow
from stillhere.web import checkin
from stillhere.web.throttle import MOST_ADDRESSES, MOST_MISSES, Guesses
from tests.conftest import Clock
from tests.shell.circle import SamsNight, tick_all
from tests.shell.web.lane import FORM, PAGE, ask, lane, tap

NOBODY = "/k/" + "a" * 27


@pytest.fixture
def path(night: SamsNight) -> str:
    """Where Sam's check-ins go: a marked watch."""
    night.start()
    night.does(ev.Marked())
    return "/k/" + key_of(night)


def key_of(night: SamsNight) -> str:
    return sealed.key_for("watch", night.row().nonce)


@pytest.fixture
def brittle() -> Iterator[tuple[GroupCommit[Change, Answer], list[Exception]]]:
    """A writer whose database does what is in the list, until the list is empty."""
    trouble: list[Exception] = []

    def apply(changes: Sequence[Change]) -> list[Answer]:
        if trouble:
            raise trouble[0]
        return apply_batch(changes)

    writer = GroupCommit(apply)
    yield writer, trouble
    writer.stop()


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


# --- not counted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/json"}, b"{"),
        ({"Content-Type": "application/json"}, b"[1, 2]"),
        ({"Content-Type": "application/json"}, b"[" * 4000),
        ({"Content-Type": "application/json"}, b"\xff\xfe"),
        ({"Content-Type": "application/json"}, b'{"age_ms": "soon"}'),
        ({"Content-Type": "application/json"}, b'{"age_ms": NaN}'),
        ({"Content-Type": "application/json"}, b'{"age_ms": 1e400}'),
        ({"Content-Type": "application/json"}, b'{"age_ms": true}'),
        ({"Content-Type": "application/json"}, b'{"seq": {}}'),
        ({"Content-Type": "application/json"}, b'{"seq": -2}'),
        ({"Content-Type": "application/json"}, b'{"seq": 99999999999999999999}'),
        ({"Content-Type": "application/json"}, b'{"do": "help"}'),
        ({"Content-Type": FORM}, b"do=help"),
        ({"Content-Type": FORM}, b"seq=seven"),
        ({"Content-Type": FORM}, b"seq=" + "\uff17".encode()),
        ({"Content-Type": FORM}, b"a=1&" * 30),
        ({"Content-Type": FORM}, b"seq=%ff%fe"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    path: str, night: SamsNight, clock: Clock, headers: dict[str, str], body: bytes
) -> None:
    before = night.row().version
    clock.advance(20)
    answered = tap(path, body, {**headers, "Accept": "application/json"})
    assert (answered.status, answered.json["why"]) == (400, "malformed")
    assert "counted" in answered.json["says"]
    assert night.row().version == before


def test_a_clock_that_runs_backwards_counts_as_now(
    path: str, night: SamsNight, clock: Clock
) -> None:
    clock.advance(20)
    assert tap(path, {"age_ms": -5000}).status == 200
    assert night.row().seen_at == clock.now


def test_a_sea_of_text_is_refused_before_it_is_read(path: str, night: SamsNight) -> None:
    before = night.row().version
    promised = {"Content-Length": "99999", "Content-Type": FORM, "Accept": "application/json"}
    assert tap(path, b"", promised).status == 413
    endless: list[bytes | None] = [b"x" * 3000, b"x" * 3000, b"x" * 3000]
    assert asyncio.run(ask(lane(), path, endless, {"Content-Type": FORM})).status == 413
    assert night.row().version == before


def test_a_client_that_goes_away_is_not_answered(path: str, night: SamsNight) -> None:
    before = night.row().version
    gone = asyncio.run(ask(lane(), path, [b'{"seq"', None], {"Content-Type": "application/json"}))
    assert gone.status == 0
    assert night.row().version == before


def test_one_that_never_finishes_is_given_up(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkin, "READ_S", 0.05)
    headers = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]

    async def trickle() -> int:
        app = lane()
        sent: list[int] = []

        async def receive() -> dict[str, object]:
            if not sent:
                sent.append(1)
                return {"type": "http.request", "body": b"{", "more_body": True}
            await asyncio.Event().wait()
            raise AssertionError

        status = []

        async def send(message: object) -> None:
            if isinstance(message, dict) and "status" in message:
                status.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await app(scope, receive, send)
        return int(status[0])

    assert asyncio.run(trickle()) == 503


def test_absurd_headers_harm_nobody(path: str) -> None:
    absurd = [
        (b"content-length", b"-1"),
        (b"content-length", b"seven"),
        (b"content-type", b"\xff\x00;;;"),
        (b"accept", b"\xff" * 500),
        (b"accept-language", b"q=;;q=x,*;q=9,zz-ZZ-zz" * 50),
        (b"cookie", b"django_language=../../etc; django_language=; =;;"),
        (b"x-forwarded-for", b"," * 500),
    ]
    assert asyncio.run(ask(lane(), path, [b""], absurd)).status == 200
    assert asyncio.run(ask(lane(), NOBODY, [b""], absurd)).status == 404
    assert asyncio.run(ask(lane(), NOBODY, [], absurd, client=None)).status == 404


@pytest.mark.parametrize("path", ["/k/", "/k/x", "/k/" + "a" * 28, "/k/" + "ü" * 27, NOBODY])
def test_an_unknown_key_is_not_found(path: str) -> None:
    answered = tap(path)
    assert (answered.status, answered.json["why"]) == (404, "unknown")
    page = tap(path, b"", PAGE)
    assert page.status == 404
    assert "This link opens nothing" in page.text


def test_a_watch_that_is_over_says_when(path: str, night: SamsNight, clock: Clock) -> None:
    night.does(ev.Ended())
    ended_at = clock.now
    clock.advance(300)
    answered = tap(path)
    assert answered.status == 410
    assert answered.json["closed_at"] == ended_at
    assert "ended at 22:00 UTC" in answered.json["says"]
    page = tap(path, b"", {**PAGE, "Accept-Language": "es"})
    assert page.status == 410
    assert "Esta guardia terminó" in page.text
    assert "17:00" in page.text  # on the wall where Sam is


def test_the_last_answer_ends_the_watch_and_still_counts(
    path: str, night: SamsNight, clock: Clock
) -> None:
    WatchRow.objects.filter(id=night.watch).update(ends_at=clock.now + 10_000)
    assert tap(path).json["state"] == "closed"
    assert tap(path).status == 410


def test_what_was_not_stored_is_not_ok(
    path: str, night: SamsNight, brittle: tuple[GroupCommit[Change, Answer], list[Exception]]
) -> None:
    writer, trouble = brittle
    before = night.row().version
    trouble.append(OperationalError("database or disk is full"))
    answered = tap(path, writer=writer)
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")
    assert answered.json["ok"] is False
    assert "not counted yet" in answered.json["says"]
    page = tap(path, b"", PAGE, writer=writer)
    assert page.status == 503
    assert "<button>Still here</button>" in page.text
    assert night.row().version == before
    trouble.clear()
    assert tap(path, writer=writer).status == 200


def test_a_database_that_says_nothing_is_not_waited_for_for_ever(path: str) -> None:
    answers = threading.Event()

    def stuck(changes: Sequence[Change]) -> list[Answer]:
        answers.wait(10)
        return apply_batch(changes)

    writer = GroupCommit(stuck)
    try:
        assert tap(path, writer=writer, deadline_s=0.05).status == 503
        answers.set()
        assert tap(path, writer=writer).status == 200
    finally:
        writer.stop()


def test_a_full_queue_refuses_at_once(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST_WAITING", 0)
    answered = tap(path)
    assert (answered.status, answered.json["why"]) == (503, "not-stored")


def test_a_watch_that_was_set_aside_is_not_called_ok(path: str, night: SamsNight) -> None:
    WatchRow.objects.filter(id=night.watch).update(quarantined_at=1)
    answered = tap(path)
    assert (answered.status, answered.json["why"]) == (503, "fault")


def test_a_watch_our_own_code_cannot_step_is_not_called_ok(path: str, night: SamsNight) -> None:
    WatchRow.objects.filter(id=night.watch).update(grace_at=5)  # an open watch has no grace
    assert tap(path).status == 503
    assert night.row().quarantined_at is not None


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
        return asyncio.run(ask(app, NOBODY, headers={"X-Forwarded-For": forwarded})).status

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
        assert "default-src 'none'" in answered.headers["content-security-policy"]


def test_no_key_is_ever_logged(
    path: str,
    caplog: pytest.LogCaptureFixture,
    brittle: tuple[GroupCommit[Change, Answer], list[Exception]],
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
