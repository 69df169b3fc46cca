"""Work that takes long: one at a time, few who wait, everyone else hears so at once."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth import hashers
from django.test import Client

from stillhere.store.installation import desk_key
from stillhere.store.models import Person, PinTries
from stillhere.web.access.slow_work import PDFS, PINS, SHEETS, SPEECH, SlowWork, TooBusyError
from tests.circle import SamsNight
from tests.web.conftest import browser, post
from tests.web.pages import make, read, text_of, watch_path


@contextlib.contextmanager
def busy(work: SlowWork) -> Iterator[None]:
    """Somebody else has every place."""
    with contextlib.ExitStack() as held:
        while work._places.acquire(blocking=False):
            held.callback(work._places.release)
        yield


def test_one_at_a_time_and_whoever_finds_no_place_is_told_at_once() -> None:
    work = SlowWork(places=2, wait_s=30)
    inside, leave, went = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with work.turn():
            inside.set()
            leave.wait(30)

    def second() -> None:
        with work.turn():
            went.set()

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert inside.wait(30)
    two.start()
    while work._places.acquire(blocking=False):  # until the second one has its place
        work._places.release()
    with pytest.raises(TooBusyError), work.turn():
        pass
    assert not went.is_set()
    leave.set()
    one.join()
    two.join()
    assert went.is_set()
    with work.turn():
        pass


def test_who_waits_too_long_is_told_so_and_leaves_the_place() -> None:
    work = SlowWork(places=2, wait_s=0.01)
    with work.turn():
        for _ in range(5):
            with pytest.raises(TooBusyError), work.turn():
                pass


def test_what_breaks_within_leaves_the_place() -> None:
    work = SlowWork(places=1, wait_s=0.01)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), work.turn():
            raise ZeroDivisionError
    with work.turn():
        pass


def test_a_pin_finds_no_place_and_hears_so_and_loses_no_try(night: SamsNight, sam: Client) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    del sam.cookies["pin"]
    with busy(PINS):
        for _ in range(8):
            response = post(sam, "/pin", pin="2580", next="/people")
            assert response.status_code == 503
        assert response["Retry-After"] == "5"
        assert "Nothing was changed." in text_of(response)
        assert not PinTries.objects.exists()
        assert post(browser(night.key, "es"), "/pin", pin="2580").status_code == 503
    assert post(sam, "/pin", pin="2580", next="/people").status_code == 302


def test_a_new_pin_finds_no_place_and_the_old_one_stays(night: SamsNight, sam: Client) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    before = Person.objects.get().pin
    with busy(PINS):
        assert post(sam, "/mine", do="pin", pin="1379").status_code == 503
    assert Person.objects.get().pin == before


def test_a_watch_a_check_in_and_a_call_for_help_wait_for_no_slow_work(
    night: SamsNight, sam: Client
) -> None:
    with contextlib.ExitStack() as held:
        for each in (PINS, PDFS, SPEECH, SHEETS):
            held.enter_context(busy(each))
        assert post(sam, "/watch", profile="injected").status_code == 302
        button = re.search(r"/k/[\w-]{27}", sam.get("/watch").content.decode())
        assert button
        assert sam.post(f"{button.group()}/help").status_code == 303
        assert "Leo" in read(sam, "/people")


def test_paper_and_sheets_find_no_place(night: SamsNight, sam: Client) -> None:
    make("open", night)
    assert watch_path(night)
    with busy(PDFS):
        response = browser().get("/paper/poster.pdf")
        assert (response.status_code, response["Retry-After"]) == (503, "5")
    table = io.BytesIO(b"form,doses\nnasal,2\n")
    table.name = "kits.csv"
    with busy(SHEETS):
        path = f"/desk/{desk_key.key()}/stock"
        assert browser().post(path, {"do": "kits", "file": table}).status_code == 503


def test_nothing_is_hashed_without_a_turn(
    night: SamsNight, sam: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a PIN is compared or made, somebody has the turn."""
    alone: list[bool] = []
    encode = hashers.PBKDF2PasswordHasher.encode

    def watched(*args: object, **named: object) -> object:
        free = PINS._turn.acquire(blocking=False)
        alone.append(not free)
        if free:
            PINS._turn.release()
        return encode(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "encode", watched)
    post(sam, "/mine", do="pin", pin="2580")
    del sam.cookies["pin"]
    post(sam, "/pin", pin="0000")
    post(sam, "/pin", pin="2580", next="/mine")
    post(sam, "/mine/word", do="keep", word="blue canary", contacts=[])
    assert alone
    assert all(alone)
