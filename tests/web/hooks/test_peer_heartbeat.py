"""``/beat/<key>``: another installation says that it lives, and learns nothing."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from stillhere.store.installation import peers
from stillhere.store.models import Peer
from stillhere.web.access.rate_limit import MOST_MISSES
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import everything


@pytest.fixture
def path() -> str:
    return f"/beat/{peers.add('River County')}"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_beat_is_taken_without_a_word(path: str, clock: Clock, method: str) -> None:
    response = getattr(browser(), method)(path)
    assert (response.status_code, response.content) == (204, b"")
    assert not response.cookies
    assert response["Cache-Control"] == "no-store"
    assert Peer.objects.get().heard_at == clock.now


def test_no_other_method_is_a_beat(path: str) -> None:
    for method in ("head", "put", "delete", "options"):
        assert getattr(browser(), method)(path).status_code == 405
    assert Peer.objects.get().heard_at == 0


def test_an_unknown_key_is_nothing_and_is_slowed_down_with_the_others(path: str) -> None:
    before = everything()
    anyone = browser()
    wrong = [path[:-1], path + "x", "/beat/" + "x" * 27, "/beat/é", "/beat/" + "y" * 3000]
    for each in wrong:
        assert anyone.get(each).status_code == 404
    tries = [anyone.get("/beat/" + "x" * 27) for _ in range(MOST_MISSES)]
    assert [t.status_code for t in tries][-len(wrong) :] == [429] * len(wrong)
    assert tries[-1]["Retry-After"] == "60"
    assert anyone.get("/watch/" + "x" * 27).status_code == 404
    assert everything() == before
    assert anyone.get(path).status_code == 204, "a key that is right is never slowed down"


def test_a_beat_opens_nothing_else(path: str) -> None:
    key = path.rpartition("/")[2]
    for other in ("desk", "c", "p", "k", "try"):
        assert browser().get(f"/{other}/{key}").status_code == 404


def test_what_could_not_be_kept_is_no_beat(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(key: str, now: int) -> bool:
        raise OperationalError("database is locked")

    monkeypatch.setattr(peers, "beat", gone)
    assert browser().get(path).status_code == 503


def test_beats_cost_little(path: str) -> None:
    browser().get(path)
    with CaptureQueriesContext(connection) as asked:
        assert browser().get(path).status_code == 204
    assert len(asked) <= 2, "the clock, and the peer"
