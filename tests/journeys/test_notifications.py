"""A real Chromium, a real push service on loopback, and a server that is really away.

Chromium's own subscription needs its maker's service, so the page is given one whose keys are the
test's. What the engine sends is decrypted as RFC 8291 says and handed to Chromium's service worker,
which shows it; the button on it is pressed there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Worker, expect, sync_playwright

from tests.channels.browsers import BrowserKeys
from tests.installation import Installation, wait_for
from tests.journeys.town import Inside

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NUMBERS = {"Sam": "+12025550100", "Leo": "+12025550101"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SUBSCRIBE = """
PushManager.prototype.subscribe = async () => ({ endpoint: SUB.endpoint, toJSON: () => SUB });
PushManager.prototype.getSubscription = async () => null;
"""
PRESS = """(action) => self.registration.getNotifications().then(([notification]) =>
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action })))"""
SHOWN = """() => self.registration.getNotifications().then((all) => all.map((one) =>
  ({ title: one.title, body: one.body, actions: one.actions.map((each) => each.title) })))"""


class PushService:
    """Takes what is pushed, for one browser."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.taken.append(body)
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.browser = BrowserKeys(f"http://127.0.0.1:{self.server.server_address[1]}/sam")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service() -> Iterator[PushService]:
    service = PushService()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    ours = Installation(tmp_path, {"STILLHERE_CHAT_PRIVATE": "1"})
    ours.prepare()
    ours.up()
    yield ours
    ours.stop()


@pytest.fixture
def inside(here: Installation) -> Iterator[Inside]:
    inside = Inside(here.environment)
    yield inside
    inside.close()


@pytest.fixture
def context(here: Installation, service: PushService) -> Iterator[BrowserContext]:
    """Sam's browser, on a phone, with notifications allowed."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = chromium.new_context(viewport={"width": 360, "height": 640}, locale="en-US")
        context.grant_permissions(["notifications"], origin=here.url)
        subscription = service.browser.subscription
        context.add_init_script(f"const SUB = {subscription};{SUBSCRIBE}")
        yield context
        chromium.close()


def worker_of(page: Page) -> Worker:
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    return page.context.service_workers[0]


def kept(page: Page) -> bool:
    """Whether the phone has kept the page of the watch."""
    return bool(
        page.evaluate("caches.open('lamp-mine').then((c) => c.match('/watch')).then(Boolean)")
    )


def deliver(context: BrowserContext, page: Page, here: Installation, payload: str) -> None:
    """What the browser's own push connection would do with a decrypted message."""
    devtools = context.new_cdp_session(page)
    known: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: known.extend(each["registrationId"] for each in said["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    wait_for(lambda: page.evaluate("1") == 1 and bool(known), "a registration")
    registration = known[-1]
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": here.url, "registrationId": registration, "data": payload},
    )


def test_a_notification_reaches_the_browser_and_its_button_is_a_check_in(
    here: Installation, service: PushService, inside: Inside, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(here.url)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Notify this phone").click()
    expect(page.get_by_text("This phone is told now.")).to_be_visible()
    page.get_by_role("button", name="I'm about to").click()
    page.get_by_role("button", name="I've used", exact=True).click()
    worker = worker_of(page)
    page.goto("about:blank")  # in a pocket
    inside("pass_time", seconds=120)
    wait_for(lambda: bool(service.taken), "a push")
    said = service.browser.read(service.taken[0])
    assert said["title"] == "Lamp: are you there?"
    assert said["body"] == ""
    page.goto(f"{here.url}/help-now")
    for _ in range(10):  # Chromium on a busy machine may drop one while it starts the worker
        deliver(context, page, here, json.dumps(said))
        page.wait_for_timeout(1000)
        if worker.evaluate(SHOWN):
            break
    [shown] = worker.evaluate(SHOWN)
    assert shown["title"] == "Lamp: are you there?"
    assert shown["body"] == ""
    assert shown["actions"] == ["Still here", "I need help"]
    assert inside("watches")[-1]["state"] == "asking"
    worker.evaluate(PRESS, "1")
    wait_for(lambda: inside("watches")[-1]["state"] == "open", "a check-in")


def is_told_and_renews(page: Page, service: PushService) -> None:
    """Its owner presses "Notify this phone"; days later the browser has another subscription, and
    our answer to that is kept only where it is well. The old one comes from what the phone kept, as
    Safari names none."""
    page.get_by_role("button", name="Notify this phone").click()
    expect(page.get_by_text("This phone is told now.")).to_be_visible()
    worker = worker_of(page)
    page.goto("about:blank")  # no page has to be open for it
    fresh = json.loads(service.browser.subscription)
    fresh["endpoint"] += "/renewed"
    worker.evaluate(
        """async (fresh) => {
          const event = new ExtendableEvent('pushsubscriptionchange');
          event.newSubscription = fresh;
          self.dispatchEvent(event);
        }""",
        fresh,
    )
    kept = "caches.match('/?push', { cacheName: 'lamp-push' }).then((kept) => kept.json())"
    wait_for(lambda: worker.evaluate(kept) == fresh, "the answer of the server")


def test_a_browser_that_renews_its_subscription_stays_told(
    here: Installation, service: PushService, context: BrowserContext
) -> None:
    """Iphones and browsers drop one after days."""
    page = context.new_page()
    page.goto(here.url)
    page.get_by_role("button", name="Start", exact=True).click()
    is_told_and_renews(page, service)


def test_a_contacts_browser_that_renews_its_subscription_stays_told(
    here: Installation, service: PushService, inside: Inside, context: BrowserContext
) -> None:
    """It has no session: its cookie says that it is Leo's phone."""
    key = inside("seed", name="Sam", rungs=[["Leo"]], numbers=NUMBERS, start=False)["contacts"][
        "Leo"
    ]
    name, _, value = str(inside("phone_of", key=key)).partition("=")
    cookie: Any = {"name": name, "value": value, "url": here.url, "sameSite": "Lax"}
    context.add_cookies([cookie | {"httpOnly": True}])
    page = context.new_page()
    page.goto(f"{here.url}/c/{key}")
    is_told_and_renews(page, service)


def test_without_a_connection_the_watch_stays_on_the_screen_and_a_press_is_kept(
    here: Installation, inside: Inside, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(here.url)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I'm about to").click()
    page.get_by_role("button", name="I've used", exact=True).click()
    worker_of(page)
    page.reload()
    wait_for(lambda: kept(page), "the page is kept")
    seen = inside("watches")[-1]["seen_at"]

    here.stop()
    page.reload()
    expect(page.get_by_role("timer")).to_be_visible()
    expect(page.get_by_text("No connection to the watch.")).to_be_visible(timeout=20_000)
    page.locator("#here button").click()
    expect(page.get_by_text("Not counted yet. Trying again")).to_be_visible()
    page.goto(f"{here.url}/people")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    page.goto(f"{here.url}/help-now")
    expect(page.get_by_role("heading", name="Someone is down in front of you")).to_be_visible()
    page.goto(f"{here.url}/watch")
    expect(page.get_by_text("Not counted yet. Trying again")).to_be_visible()

    here.up()
    expect(page.get_by_text("Got it")).to_be_visible(timeout=30_000)
    assert inside("watches")[-1]["seen_at"] > seen


def test_a_phone_that_is_somebody_elses_keeps_nothing(
    here: Installation, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(here.url)
    page.get_by_label("This is not my phone").check()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="I'm about to").click()
    expect(page.get_by_role("button", name="I've used", exact=True)).to_be_visible()
    page.reload()
    page.wait_for_timeout(1500)
    assert (
        page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    )
    assert page.evaluate("caches.keys()") == []
    assert page.get_by_role("button", name="Notify this phone").is_hidden()
