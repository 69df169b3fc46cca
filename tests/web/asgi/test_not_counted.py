"""What is not a check-in: nothing is counted, nothing changes, and the sender hears it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from stillhere.core import events as ev
from stillhere.store.db import encryption
from stillhere.store.models import WatchRow
from stillhere.store.watches import group_commit
from stillhere.store.watches.apply import Change, ChangeResult, apply_batch
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.asgi import check_in
from stillhere.web.asgi.body_limits import CHECK_IN
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.lane import FORM, PAGE, ask, lane, tap

NOBODY = "/k/" + "a" * 27


@pytest.fixture
def path(night: SamsNight) -> str:
    """Where Sam's check-ins go: a marked watch."""
    night.start()
    night.does(ev.Marked())
    return "/k/" + encryption.key_for("watch", night.row().nonce)


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
        ({"Content-Type": "application/json"}, b'{"do": "help", "do": "here"}'),
        ({"Content-Type": FORM}, b"do=help"),
        ({"Content-Type": FORM}, b"do=help&do=here"),
        ({"Content-Type": "text/plain"}, b"do=help"),
        ({"Content-Type": "text/plain"}, b"HELP"),
        ({}, b'{"do": "help"}'),
        ({"Content-Type": "application/vnd.api+json"}, b'{ "do" : "help" }'),
        # A number of bytes written at length is still a number of bytes.
        (
            {"Content-Type": "application/json", "Content-Length": "0000000000013"},
            b'{"do":"help"}',
        ),
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
    for many in ("999999999999", "1" + "0" * 30):
        assert tap(path, b"", promised | {"Content-Length": many}).status == 413
    endless: list[bytes | None] = [b"x" * 3000, b"x" * 3000, b"x" * 3000]
    assert asyncio.run(ask(lane(), path, endless, {"Content-Type": FORM})).status == 413
    assert night.row().version == before


def test_help_in_the_address_is_no_check_in(path: str, night: SamsNight) -> None:
    before = night.row().version
    asked = asyncio.run(ask(lane(), path, [], {"Accept": "application/json"}, query="do=help"))
    assert asked.status == 400
    assert night.row().version == before


def test_what_breaks_off_or_makes_no_sense_is_not_counted(path: str, night: SamsNight) -> None:
    """The server tells us of chunks that are none in the same way as of a client that is gone."""
    before = night.row().version
    gone = asyncio.run(ask(lane(), path, [b'{"seq"', None], {"Content-Type": "application/json"}))
    assert gone.status == 400
    assert night.row().version == before


def test_one_that_never_finishes_is_given_up(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_in, "CHECK_IN", CHECK_IN._replace(read_s=0.05))
    headers = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]

    async def trickle() -> int:
        app = lane()
        sent: list[int] = []

        async def receive() -> Any:
            if not sent:
                sent.append(1)
                return {"type": "http.request", "body": b"{", "more_body": True}
            await asyncio.Event().wait()
            raise AssertionError

        status = []

        async def send(message: object) -> None:
            if isinstance(message, dict) and "status" in message:
                status.append(message["status"])

        scope: Any = {"type": "http", "method": "POST", "path": path, "headers": headers}
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
    path: str, night: SamsNight, brittle: tuple[GroupCommit[Change, ChangeResult], list[Exception]]
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

    def stuck(changes: Sequence[Change]) -> list[ChangeResult]:
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
    monkeypatch.setattr(group_commit, "MOST_WAITING", 0)
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
