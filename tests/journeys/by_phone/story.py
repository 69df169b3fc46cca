"""A story told by flip phones alone: our engine's rounds on a clock that the story moves, and
phones that can text, ring and be rung.

What leaves goes through the real adapters to a loopback provider, what comes in through the signed
webhooks. Nobody opens a page. A phone says what its owner does (``texts``, ``picks_up``,
``presses``) and what they get, in order and all of it (``reads``, ``hears``).
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from django.test import Client

from stillhere.channels.base import Channel
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import Installation, Message, WatchRow
from stillhere.web.asgi.webhooks import WebhookLane
from tests.channels.accounts import OURS
from tests.circle import tick_all
from tests.conftest import Clock
from tests.journeys.by_phone.provider import Provider, Sent
from tests.web.lane import Answered, ask

RINGS_S = 25  # before the provider says that nobody picked up
ONE_TEXT = 160
LEAST_MS = 100  # the engine's round
LEASE_S = 20.0
T = TypeVar("T")


@dataclass
class Story:
    """One installation with a provider behind it, and the phones of everybody in the story.
    ``early_s``: texts come by the phone on the window sill, stamped so many seconds early."""

    clock: Clock
    provider: Provider
    lane: WebhookLane
    channels: dict[str, Channel]
    runner: asyncio.Runner
    phones: dict[str, FlipPhone] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    early_s: int | None = None

    def phone(self, number: str, **how: object) -> FlipPhone:
        """The phone with this number; the first time, ``how`` says what it is like."""
        if number not in self.phones:
            self.phones[number] = FlipPhone(self, number, **how)  # type: ignore[arg-type]
        return self.phones[number]

    def state(self) -> str:
        """How the newest watch stands."""
        return str(WatchRow.objects.latest("id").state)

    # --- time -------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass; everything that falls due meanwhile happens when it does, and the engine
        was there all the time."""
        self.settle()
        until = self.clock.now + round(seconds * 1000)
        while self.clock.now < until:
            due = max(self._next(until), self.clock.now + LEAST_MS)
            self.clock.advance((min(due, until) - self.clock.now) / 1000)
            Installation.objects.update(beat_at=self.clock.now, beat_boot_ms=self.clock.boot)
            self.settle()

    def pass_until(self, what: Callable[[], bool], most_s: int = 1_800) -> None:
        """Let time pass from one thing that is due to the next, until ``what`` is so."""
        end = self.clock.now + most_s * 1000
        while not what():
            assert self.clock.now < end, f"in vain for {most_s} s\n{self.told()}"
            self.pass_time(max(self._next(end) - self.clock.now, LEAST_MS) / 1000)

    def _next(self, until: int) -> int:
        """When the next thing is due, at the latest ``until``."""
        now = self.clock.now
        queued = Message.objects.filter(status="queued", due_at__gt=now).order_by("due_at")
        watches = WatchRow.objects.filter(wake_at__isnull=False).order_by("wake_at")
        wakes = [at for at in watches.values_list("wake_at", flat=True)[:1] if at is not None]
        rung = [phone.call.until for phone in self.phones.values() if phone.rings and phone.call]
        ahead = [
            *wakes,
            *queued.values_list("due_at", flat=True)[:1],
            *rung,
        ]
        return min([until, *ahead])

    def settle(self) -> None:
        """Everything that is due now: the engine's rounds until they find nothing more to do."""
        for phone in list(self.phones.values()):
            phone.rings_out()
        tick_all()
        receipts.silent(self.clock.now)
        while self._deliver():
            tick_all()

    def _deliver(self) -> bool:
        """Let everything leave that is due; whether there was anything."""
        now, any_left = self.clock.now, False
        due = Message.objects.filter(status="queued", due_at__lte=now, lease_until_at__lte=now)
        for name in list(due.values_list("channel", flat=True).distinct()):
            for leased in delivery.lease(name, now, 50, LEASE_S):
                any_left = True
                channel, outgoing = self.channels.get(name), render.render(leased, leased.to)
                nowhere = Receipt(Fate.NOWHERE, why="no such channel here")
                receipt = nowhere if channel is None else self.runs(channel.send(outgoing))
                delivery.record([leased.result(receipt)], now)
                for sent in self.provider.take():
                    self.phone(sent.to).gets(sent)
        return any_left

    # --- the provider -----------------------------------------------------------------------------

    def runs(self, work: Awaitable[T]) -> T:
        """Wait for work of the adapters or the webhooks."""

        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    def post(self, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """One webhook."""
        answered = self.runs(ask(self.lane, path, [body], headers, query=query))
        assert answered.status in (200, 204), (path, answered.status, answered.text)
        return answered

    def fetches(self, url: str) -> bytes:
        """A sound of ours, as the company gets it."""
        return bytes(Client().get(urlsplit(html.unescape(url)).path).content)

    def notes(self, line: str) -> None:
        at = (self.clock.now // 1000) % 86_400
        self.log.append(f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02} {line}")

    def told(self) -> str:
        """The whole conversation, to be read by somebody."""
        return "\n".join(self.log)


@dataclass
class Call:
    """One call, rung or ringing; ``turn`` is where its next turn is told."""

    sent: Sent
    turn: str
    until: int
    outbound: bool = True
    on: bool = False


@dataclass
class FlipPhone:
    """A phone that can text, ring and be rung. ``dead``: the number is nobody's."""

    story: Story
    number: str
    name: str = ""
    dead: bool = False
    unread: list[str] = field(default_factory=list)
    heard: str = ""
    played: list[bytes] = field(default_factory=list)
    call: Call | None = None
    rung: int = 0

    # --- texts ------------------------------------------------------------------------------------

    def texts(self, words: str) -> None:
        """By the company; or by the phone on the window sill, whose carrier drops the plus and
        sends what is long as a picture."""
        story = self.story
        story.notes(f"{self.name} texts: {words}")
        if story.early_s is None:
            story.provider.text_came(story.post, self.number, words)
        else:
            story.provider.text_came_by_the_app(
                story.post,
                self.number.removeprefix("+1"),
                words,
                early_s=story.early_s,
                as_picture=len(words) > ONE_TEXT,
            )
        story.settle()

    def reads(self, *facts: str) -> str:
        """The next text that was not read yet; it holds all of ``facts``, whatever their case."""
        assert self.unread, f"{self.name} got no text\n{self.story.told()}"
        text = self.unread.pop(0)
        missing = [fact for fact in facts if fact.casefold() not in text.casefold()]
        assert not missing, f"{self.name} reads {text!r}, without {missing}\n{self.story.told()}"
        return text

    def reads_nothing(self) -> None:
        assert not self.unread, f"{self.name} reads {self.unread}\n{self.story.told()}"

    # --- calls ------------------------------------------------------------------------------------

    @property
    def rings(self) -> bool:
        return self.call is not None and not self.call.on

    def picks_up(self) -> None:
        assert self.call is not None, f"{self.name}'s phone does not ring\n{self.story.told()}"
        assert self.rings, self.name
        self.call.on = True
        self.story.notes(f"{self.name} picks up")
        self._became("in-progress")
        self._turn()

    def rings_us(self) -> None:
        sent = Sent("call", self.number, f"CA{self.number[-4:]}{self.story.clock.boot}{self.rung}")
        self.rung += 1
        self.call = Call(sent, "/in/one/call", 0, outbound=False, on=True)
        self.story.notes(f"{self.name} rings us")
        self._turn()

    def presses(self, key: str) -> None:
        """A key, or a whole number with #; ``""`` is silence."""
        self.story.notes(f"{self.name} presses {key or 'nothing'}")
        self._turn(**({"Digits": key.rstrip("#")} if key else {}))

    def speaks(self, sound: bytes) -> None:
        """After the tone; the company keeps it."""
        ref = f"RE{len(self.story.provider.sounds)}{self.story.clock.boot}"
        self.story.provider.sounds[ref] = sound
        self.story.notes(f"{self.name} speaks")
        self._turn(Digits="#", RecordingSid=ref)

    def hears(self, *facts: str) -> str:
        """What the voice said last."""
        missing = [fact for fact in facts if fact.casefold() not in self.heard.casefold()]
        assert not missing, f"{self.name} hears {self.heard!r}, not {missing}\n{self.story.told()}"
        return self.heard

    def hangs_up(self) -> None:
        assert self.call is not None, self.name
        call, self.call = self.call, None
        self.story.notes(f"{self.name} hangs up")
        if call.outbound:
            self.story.provider.became(self.story.post, call.sent, "completed")
        else:
            self._posts_turn(call, "/in/one/ended", CallStatus="completed")
        self.story.settle()

    # --- what the provider does with it -----------------------------------------------------------

    def gets(self, sent: Sent) -> None:
        """A text or a call of ours."""
        became: Callable[..., Answered] = self.story.provider.became
        if self.dead:
            self.story.notes(f"({self.name}: the number is dead: {sent.kind})")
            text = sent.kind == "text"
            became(
                self.story.post,
                sent,
                *(("undelivered", "30005") if text else ("failed", "13224")),
            )
        elif sent.kind == "text":
            self.story.notes(f"    to {self.name}: {sent.body}")
            self.unread.append(sent.body)
            became(self.story.post, sent, "delivered")
        else:
            self.rung += 1
            self.story.notes(f"    {self.name}'s phone rings")
            self.call = Call(sent, sent.url, self.story.clock.now + RINGS_S * 1000)
            became(self.story.post, sent, "ringing")

    def rings_out(self) -> None:
        """Nobody picked up in time."""
        if self.call is not None and self.rings and self.call.until <= self.story.clock.now:
            call, self.call = self.call, None
            self.story.provider.became(self.story.post, call.sent, "no-answer")

    def _became(self, status: str) -> None:
        if self.call is not None and self.call.outbound:
            self.story.provider.became(self.story.post, self.call.sent, status)

    def _turn(self, **more: str) -> None:
        assert self.call is not None, f"{self.name} is in no call\n{self.story.told()}"
        twiml = self._posts_turn(self.call, self.call.turn, **more).text
        sentences = re.findall(r"<Say[^>]*>([^<]*)</Say>", twiml)
        self.heard = html.unescape(" ".join(sentences))
        self.story.notes(f"    {self.name} hears: {self.heard or twiml[55:]}")
        sounds = re.findall(r"<Play>([^<]*)</Play>", twiml)
        self.played = [self.story.fetches(url) for url in sounds]
        found = re.findall(r'<(?:Gather|Record)[^>]* action="([^"]*)"', twiml)
        if found:
            self.call.turn = html.unescape(found[0])
        else:
            call, self.call = self.call, None
            if call.outbound:
                self.story.provider.became(self.story.post, call.sent, "completed")
            else:
                self._posts_turn(call, "/in/one/ended", CallStatus="completed")
        self.story.settle()

    def _posts_turn(self, call: Call, url: str, **more: str) -> Answered:
        ends = (OURS, self.number) if call.outbound else (self.number, OURS)
        fields = {"CallSid": call.sent.sid, "From": ends[0], "To": ends[1]}
        fields["Direction"] = "outbound-api" if call.outbound else "inbound"
        return self.story.provider.turn(self.story.post, url, fields | more)
