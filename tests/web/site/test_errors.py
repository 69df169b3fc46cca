"""A database that is locked, full or gone: an honest page, never a stack trace."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.test import Client

from stillhere.store.db import clock as store_clock
from stillhere.store.models import Person
from stillhere.store.people import browsers, records
from stillhere.store.watches import queries
from stillhere.store.watches.apply import CallForHelp, Change, ChangeResult
from stillhere.store.watches.group_commit import WRITER, Full, NotStored
from tests.circle import SamsNight
from tests.languages import LANGUAGES
from tests.web.conftest import browser
from tests.web.pages import contact_path, text_of, watch_path

ASK = "The watch may not be running. Ask a person, or call your emergency number."


@pytest.mark.parametrize("trouble", [OperationalError, InterfaceError, DatabaseError])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_database_that_is_gone_is_an_honest_page(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception], lang: str
) -> None:
    night.start()
    paths = [
        "/watch",
        "/people",
        "/routine",
        "/mine",
        contact_path(night, "Leo"),
        watch_path(night),
    ]

    def gone(*_: object) -> Person:
        raise trouble("database is locked: secret detail")

    for name in ("person_by_key", "contact_by_key"):
        monkeypatch.setattr(records, name, gone)
    monkeypatch.setattr(browsers, "by_token", gone)
    for name in ("watch_by_key", "installation"):
        monkeypatch.setattr(queries, name, gone)
    client = browser(night.key, lang)
    for path in paths:
        response = client.get(path)
        assert response.status_code == 503, path
        assert response["Retry-After"] == "2"
        told = text_of(response)
        assert "secret" not in told
        assert (ASK in told) is (lang == "en")
        assert "Traceback" not in told


@pytest.mark.parametrize("trouble", [Full("full"), NotStored("OperationalError"), TimeoutError()])
def test_what_could_not_be_kept_is_said(
    night: SamsNight, sam: Client, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    night.start()
    night.does(CallForHelp())

    def refuse(change: Change, timeout_s: float = 10.0) -> ChangeResult:
        raise trouble

    monkeypatch.setattr(WRITER, "commit", refuse)
    for path in (f"{watch_path(night)}/help", f"{contact_path(night, 'Leo')}/answer"):
        response = sam.post(path, {"do": "arrived"})
        assert response.status_code == 503
        told = text_of(response)
        assert "Nothing was kept. Go back and press again." in told
        assert ASK in told


def test_our_own_mistake_is_a_page_without_particulars(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Person:
        raise ZeroDivisionError("Sam lives at 12 Elm Street")

    monkeypatch.setattr(browsers, "by_token", broken)
    client = browser(night.key)
    client.raise_request_exception = False
    response = client.get("/watch")
    assert response.status_code == 500
    told = text_of(response)
    assert "Something broke on our side" in told
    assert "Elm" not in told


def test_a_page_without_a_clock_is_no_page(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_row: object) -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(store_clock, "now_of", gone)
    response = browser(night.key).get("/watch")
    assert response.status_code == 503


def test_a_host_we_do_not_answer_to_is_refused_kindly() -> None:
    response = Client(headers={"Host": "evil.example.org"}).get("/")
    assert response.status_code == 400
    assert "We could not read that" in text_of(response)


def test_a_form_far_too_large_is_refused(sam: Client) -> None:
    sam.get("/people")
    token = sam.cookies["csrftoken"].value
    response = sam.post("/people", {"csrfmiddlewaretoken": token, "place": "x" * 300_000})
    assert response.status_code in (400, 403)
    assert "changed" in text_of(response)
