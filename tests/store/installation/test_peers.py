"""Two installations look after each other: who calls in, whose silence is told, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from stillhere.cli.main import main
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import loop, render
from stillhere.engine.audit import Lookout
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.installation import peers
from stillhere.store.installation.peers import NameWrong
from stillhere.store.messages import delivery
from stillhere.store.models import Message, Peer
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

HALF_AN_HOUR_S = 1800


@pytest.fixture
def key(clock: Clock) -> str:
    """The key of a peer that was never heard."""
    pulse_once()
    return peers.add("River County")


def live(
    clock: Clock, seconds: int, lookout: Lookout, beating: str = "", well: bool = True
) -> None:
    """The engine does its rounds; the peer calls in every minute, or not at all."""
    for second in range(0, seconds, 5):
        clock.advance(5)
        pulse_once()
        if beating and second % 60 == 0:
            assert peers.beat(beating, clock.now)
        lookout.look_once(clock.now, well)


def words() -> list[str]:
    return list(Message.objects.order_by("id").values_list("word", flat=True))


def read_all(clock: Clock) -> list[str]:
    """What the coordinator reads, in the order in which it leaves."""
    leased = delivery.lease("coordinator", clock.now, 100, 10)
    told = [render.render(m, "ruth@example.org") for m in leased]
    sent = [m.result(Receipt(Fate.ACCEPTED)) for m in leased]
    delivery.record(sent, clock.now)
    assert all(t.link.endswith("/desk") for t in told)
    return [t.text for t in told]


def test_a_peer_that_calls_in_is_no_news(clock: Clock, key: str) -> None:
    live(clock, 600, Lookout(), beating=key)
    assert words() == []


def test_one_that_was_never_heard_is_not_missed(clock: Clock, key: str) -> None:
    live(clock, 600, Lookout())
    assert words() == []


def test_three_minutes_of_silence_are_told_once_and_again_every_half_hour(
    clock: Clock, key: str
) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)
    live(clock, 180, lookout)
    assert words() == ["page-peer-silent"]
    live(clock, HALF_AN_HOUR_S - 10, lookout)
    assert words() == ["page-peer-silent"]
    live(clock, 10, lookout)
    assert words() == ["page-peer-silent"] * 2


@pytest.mark.parametrize(("seconds", "told"), [(175, 0), (180, 1)])
def test_silence_is_three_minutes(clock: Clock, key: str, seconds: int, told: int) -> None:
    peers.beat(key, clock.now)
    live(clock, seconds, Lookout())
    assert len(words()) == told


def test_being_heard_again_is_told_once(clock: Clock, key: str) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)
    live(clock, 240, lookout)
    live(clock, 300, lookout, beating=key)
    assert words() == ["page-peer-silent", "page-peer-back"]
    assert Peer.objects.get().told_at == 0
    live(clock, 185, lookout)
    assert words()[2:] == ["page-peer-silent"], "and the next silence is a new one"


def test_the_coordinator_reads_who_and_since_when(clock: Clock, key: str) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)  # 22:00
    live(clock, 185, lookout)
    live(clock, 15 * 60 - 185, lookout)
    live(clock, 5, lookout, beating=key)
    silent, back = read_all(clock)
    assert silent == (
        "River County has not been heard since 22:00 UTC. "
        "It stopped, or cannot reach us. Tell its coordinator, by phone."
    )
    assert back == "River County is back since 22:15 UTC."
    facts = json.loads(Message.objects.earliest("id").facts)
    assert set(facts) == {"peer", "at"}, "a message holds ids and times, no name"


def test_a_page_outlives_the_peer_it_speaks_of(clock: Clock, key: str) -> None:
    peers.beat(key, clock.now)
    live(clock, 185, Lookout())
    assert peers.remove("River County")
    assert read_all(clock)[0].startswith("An installation you look after has not been heard")
    assert not peers.beat(key, clock.now)


def test_after_our_own_outage_a_peer_has_its_full_time_again(clock: Clock, key: str) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)
    clock.advance(3600)  # we were away
    live(clock, 175, lookout)
    assert words() == []
    live(clock, 15, lookout)
    assert words() == ["page-peer-silent"]


def test_while_we_are_behind_nobody_is_missed(clock: Clock, key: str) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)
    live(clock, 600, lookout, well=False)
    live(clock, 175, lookout)
    assert words() == []
    live(clock, 5, lookout)
    assert words() == ["page-peer-silent"]


def test_two_engines_page_once(clock: Clock, key: str) -> None:
    one, other = Lookout(), Lookout()
    peers.beat(key, clock.now)
    live(clock, 175, one)
    clock.advance(5)
    pulse_once()
    stale = Peer.objects.get()
    one.look_once(clock.now, well=True)
    other.look_once(clock.now, well=True)
    assert not peers._page(stale, peers.SILENT, clock.now), "it was read before the other wrote"
    assert words() == ["page-peer-silent"]


def test_a_beat_from_a_clock_that_was_set_back_is_not_believed_for_an_hour(
    clock: Clock, key: str
) -> None:
    peers.beat(key, clock.now + 3_600_000)
    live(clock, 185, Lookout())
    assert words() == ["page-peer-silent"]
    assert peers.beat(key, clock.now - 10_000)
    assert Peer.objects.get().heard_at == clock.now - 10_000


def test_a_page_that_could_not_leave_lapses_before_the_next(clock: Clock, key: str) -> None:
    lookout = Lookout()
    peers.beat(key, clock.now)
    live(clock, 185, lookout)
    live(clock, HALF_AN_HOUR_S + 5, lookout)
    assert len(words()) == 2
    assert len(read_all(clock)) == 1


def test_beats_that_come_fast_are_written_once(clock: Clock, key: str) -> None:
    first = clock.now
    for _ in range(4):
        assert peers.beat(key, clock.now)
        clock.advance(1)
    assert Peer.objects.get().heard_at == first
    clock.advance(1)
    peers.beat(key, clock.now)
    assert Peer.objects.get().heard_at == clock.now


def test_pages_are_erased_in_time(clock: Clock, key: str) -> None:
    peers.beat(key, clock.now)
    live(clock, 185, Lookout())
    clock.advance(31 * 86_400)
    assert peers.erase_pages(clock.now, 30) == 0, "it has not left yet"
    Message.objects.update(status="sent")
    assert peers.erase_pages(clock.now, 30) == 1


def test_names_are_made_harmless_and_taken_once(clock: Clock, key: str) -> None:
    with pytest.raises(NameWrong, match="already"):
        peers.add("River County")
    with pytest.raises(NameWrong, match="a name"):
        peers.add(" \u202e\n ")
    peers.add("Two\nlines " + "x" * 200)
    assert Peer.objects.latest("id").name.startswith("Two lines xx")
    assert not peers.remove("nobody")


def test_a_key_lies_nowhere_and_differs_each_time(clock: Clock, key: str) -> None:
    peers.remove("River County")
    assert peers.add("River County") != key
    assert key.encode() not in bytes(Peer.objects.get().key_hash)


# --- the command ----------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["peer", *arguments])
    return told.exit_code, told.output


def test_the_command_adds_lists_and_removes(clock: Clock) -> None:
    pulse_once()
    code, said = run("add", "River County")
    address = said.splitlines()[0]
    assert code == 0
    assert address.startswith(f"{django_settings.STILLHERE.base_url}/beat/")
    assert "STILLHERE_HEARTBEAT_URL" in said
    assert "already" in run("add", "River County")[1]
    assert run("list") == (0, "River County: never heard yet\n")
    assert peers.beat(address.rpartition("/")[2], clock.now)
    clock.advance(100)
    assert run("list") == (0, "River County: heard 100 s ago\n")
    clock.advance(100)
    assert run("list") == (0, "River County: silent, last heard 3 minutes ago\n")
    assert run("remove", "River County")[0] == 0
    assert run("list") == (0, "")
    assert run("remove", "River County")[0] == 1


# --- our own heartbeat ----------------------------------------------------------------------------


@pytest.fixture
def pings(settings: Settings) -> Iterator[list[str]]:
    """What a watcher outside hears from us."""
    heard: list[str] = []

    class Watcher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Watcher)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/beat/x"
    settings.STILLHERE = replace(settings.STILLHERE, heartbeat_url=url)
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_a_proof_the_watcher_outside_hears_nothing(clock: Clock, pings: list[str]) -> None:
    pulse_once()
    stuck = Message.objects.create(
        key="stuck", channel="text", word="alarm", urgency=0, due_at=clock.now - 31_000,
        created_at=clock.now,
    )  # fmt: skip
    once = loop._auditing()
    for _ in range(20):
        once()
        clock.advance(5)
        pulse_once()
    assert pings == []
    Message.objects.filter(id=stuck.id).update(status="sent")
    once()
    assert pings == ["/beat/x"]


def test_while_the_proof_holds_we_call_in_once_a_minute(clock: Clock, pings: list[str]) -> None:
    pulse_once()
    once = loop._auditing()
    for _ in range(25):
        once()
        clock.advance(5)
        pulse_once()
    assert len(pings) == 3


def test_the_engine_looks_after_peers_in_its_audit(clock: Clock, key: str) -> None:
    peers.beat(key, clock.now)
    once = loop._auditing()
    for _ in range(37):
        once()
        clock.advance(5)
        pulse_once()
    assert words() == ["page-peer-silent"]
