"""What leaves: leased, rendered, handed to a carrier, and recorded, as the engine's courier does.

Owns the life of a message between ``delivery.lease`` and ``delivery.record``, which a death of the
engine loses, and what carriers say later (``receipts.receipt``). Knows how many are in flight;
decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from django.db import Error

from stillhere.core.alarm import Alarm
from stillhere.core.messages import DeliveryResult, Fate, Receipt
from stillhere.engine.render import render
from stillhere.sim import invariants
from stillhere.sim.invariants import require
from stillhere.sim.whole.carriers import CHANNELS, DEADLINE_S, Carriers, Passage
from stillhere.sim.whole.evidence import Mail
from stillhere.sim.whole.service import Died, Service
from stillhere.store.db import clock, encryption
from stillhere.store.messages import delivery, receipts
from stillhere.store.messages.leased import LeasedMessage

LEASE_MARGIN_S = 10.0
MOST = 200
RECEIPT_AGAIN_MS = (2_000, 10_000, 30_000, 60_000)
_RANK = "SELECT id, urgency, place, due_at FROM message WHERE"


class Letters:
    """Every message in flight, at most ``places`` to a channel. ``arrives`` is told when one
    reaches a phone."""

    def __init__(self, service: Service, carriers: Carriers, places: int) -> None:
        self._service, self._carriers, self._places = service, carriers, places
        self._world, self._night = service.world, service.night
        self._dice: Random = self._world.dice("letters")
        self._flying = dict.fromkeys(CHANNELS, 0)
        self._results: list[DeliveryResult] = []
        self.arrives: Callable[[LeasedMessage], None] = lambda _: None

    def lose(self) -> None:
        """The engine died: nobody waits for an answer, and results not recorded are lost."""
        self._flying = dict.fromkeys(CHANNELS, 0)
        self._results.clear()

    # --- leaving --------------------------------------------------------------------------------

    def full(self, channel: str) -> bool:
        """Whether there is no place for another message now, which is noted."""
        full = self._flying[channel] >= self._places
        if full:
            self._night.full_t[channel] = self._world.t
        return full

    def lease(self, channel: str) -> None:
        """One round of the queue of a channel that is not full."""
        free = self._places - self._flying[channel]
        lease_s = DEADLINE_S[channel] + LEASE_MARGIN_S
        engine = self._service.engine
        self._strangers_may_be_held_back(channel)
        self._service.storage.alone = True  # what comes in now, the lease could not know
        [(newest,)] = self._service.storage.look("SELECT coalesce(max(id), 0) FROM message")
        try:
            leased = self._service.act(
                engine, lambda: delivery.lease(channel, clock.now_ms(), free, lease_s)
            )
        finally:
            self._service.storage.alone = False
        if leased:
            self._judge(channel, leased, newest)
        self._flying[channel] += len(leased)
        for message in leased:
            send = partial(self._send, channel, message, engine.life)
            self._world.after(self._dice.randrange(0, 20), send)

    def _strangers_may_be_held_back(self, channel: str) -> None:
        """Who never showed that a number is theirs is rung within a budget: where that is used up
        their ladder moves on at once."""
        sql = (
            "SELECT m.contact_id FROM message m JOIN address a ON a.id = m.address_id WHERE "
            "m.status = 'queued' AND m.channel = ? AND m.due_at <= ? AND a.proved_at = 0"
        )
        for (contact,) in self._service.storage.look(sql, channel, self._service.now()):
            if contact is not None:
                self._night.may_move(contact)

    def _judge(self, channel: str, leased: Sequence[LeasedMessage], newest: int) -> None:
        """``newest`` was the last message before the lease: what a dead address made it write
        itself could not be in it."""
        look, ids, now = self._service.storage.look, [m.id for m in leased], self._night.now
        marks = ", ".join(["?"] * len(ids))
        ranks = {id: tuple(rank) for id, *rank in look(f"{_RANK} id IN ({marks})", *ids)}
        ready = "status = 'queued' AND channel = ? AND due_at <= ? AND lease_until_at <= ?"
        there = f"{_RANK} {ready} AND id <= ?"
        left = [tuple(rank) for _, *rank in look(there, channel, now, now, newest)]
        taken = [ranks[id] for id in ids]
        require(invariants.FOR_EVERY_LEASE, self._night, taken, left)
        for message in leased:
            mail = self._night.mails[message.id]
            mail.to = message.to
            require(invariants.FOR_EVERY_LEASED_MESSAGE, self._night, mail)

    @property
    def troubled(self) -> bool:
        """Whether a carrier or an address gave trouble so far."""
        return self._carriers.troubled

    def _send(self, channel: str, message: LeasedMessage, life: int) -> None:
        """Hand one leased message to its carrier, unless the engine died in between."""
        if life != self._service.engine.life:
            return
        render(message, message.to)
        passage = self._carriers.hand(channel, message.address, self._world.t)
        for mail in self._mails(message):
            mail.handed += 1
            mail.accepted = mail.accepted or passage.answer in (Fate.ACCEPTED, None)
        self._night.count("messages")
        said = passage.answer or "nothing"
        self._world.say(f"message {message.id} handed over, its carrier will say {said}")
        for ms in passage.arrivals:
            self._world.after(ms, partial(self._arrived, message))
        for ms, fate in passage.receipts:
            self._world.after(ms, partial(self._receipt, channel, message, passage, fate, 0))
        self._world.after(passage.answer_ms, partial(self._told, message, passage, life))

    def _mails(self, message: LeasedMessage) -> list[Mail]:
        """The messages that leave as this one: several where it is a list of alarms."""
        ids = (message.id, *(each.message for each in message.also))
        return [self._night.mails[id] for id in ids if id is not None]

    def _arrived(self, message: LeasedMessage) -> None:
        night = self._night
        night.count("duplicates", int(night.mails[message.id].arrived))
        for mail in self._mails(message):
            mail.arrived = True
            story = night.story_of(mail)
            if story is not None and mail.contact is not None and mail.word != "stand-down":
                story.reached.add(mail.contact)
        self.arrives(message)

    @property
    def closed(self) -> bool:
        """Whether any way is closed to everybody just now."""
        ways = ((channel, removed) for channel in CHANNELS for removed in (False, True))
        return any(self._carriers.is_closed(c, self._world.t, removed=r) for c, r in ways)

    def missing(self, channel: str) -> bool:
        """Whether the settings know no such channel just now."""
        return self._carriers.is_closed(channel, self._world.t, removed=True)

    def turn_away(self, channel: str) -> None:
        """As the courier does with messages for a channel that is not configured: they fail at
        once, so that the ladder moves on."""
        engine, why = self._service.engine, f"no channel {channel} here"
        leased = self._service.act(
            engine, lambda: delivery.lease(channel, clock.now_ms(), MOST, LEASE_MARGIN_S)
        )
        fates = [m.result(Receipt(Fate.NOWHERE, why=why)) for m in leased]
        self._carriers.troubled = True
        for message in leased:
            self._night.turned_away.add(message.id)
            if message.contact is not None:
                self._night.may_move(message.contact)
        if fates:
            self._service.act(engine, lambda: delivery.record(fates, clock.now_ms()))

    # --- what carriers say ----------------------------------------------------------------------

    def _told(self, message: LeasedMessage, passage: Passage, life: int) -> None:
        """The carrier answered, or its time to answer is over."""
        if life != self._service.engine.life:
            return
        self._flying[message.channel] -= 1
        if passage.answer is None:
            receipt = Receipt(Fate.UNKNOWN, passage.ref, "no answer in time")
        else:
            receipt = Receipt(passage.answer, passage.ref, passage.why)
        self._results.append(message.result(receipt))
        if len(self._results) == 1:
            self._world.after(self._dice.randrange(0, 20), partial(self._record, life))

    def _record(self, life: int) -> None:
        """Write down a group of results. What cannot be written runs out and is sent again."""
        if life != self._service.engine.life:
            return
        group, self._results = self._results, []
        before, refused = self._alarms(), self._refused(group)
        leaving = [contact for number in refused for contact in self._who_has(number)]
        for contact in leaving:
            self._night.may_move(contact)
        try:
            self._service.act(self._service.engine, lambda: delivery.record(group, clock.now_ms()))
        except (Died, Error) as failure:
            ids = [result.message for result in group]
            self._world.say(f"results of {ids} are lost: {type(failure).__name__}")
            return
        self._recorded(group, before)
        self._night.silenced |= refused
        for contact in leaving:
            self._night.gone(contact)

    def _refused(self, group: Sequence[DeliveryResult]) -> set[str]:
        """The numbers whose owners said STOP to their carrier: that is a no to everybody."""
        mails = self._night.mails
        stopped = [r.message for r in group if r.receipt.fate is Fate.OPTED_OUT]
        return {mails[id].to for id in stopped if id is not None}

    def _who_has(self, number: str) -> list[int]:
        """The contacts with this number, on whatever list."""
        sql = "SELECT DISTINCT contact_id FROM address WHERE lookup IN (?, ?)"
        ways = [encryption.lookup(channel, number) for channel in ("text", "call")]
        found = self._service.storage.look(sql, *ways)
        return [contact for (contact,) in found if contact is not None]

    def _receipt(
        self, channel: str, message: LeasedMessage, passage: Passage, fate: Fate, tries: int
    ) -> None:
        """The carrier tells us more; if nobody takes it, it tells us again."""
        before, known = self._alarms(), False
        id = message.id if passage.knows_us else None
        take = partial(receipts.receipt, channel, passage.ref, fate, "receipt", message=id)
        try:
            if self._service.web.up:
                known = self._service.act(self._service.web, lambda: take(now=clock.now_ms()))
        except (Died, Error):
            self._world.say("web: a receipt was not taken")
        if not known:
            if tries < len(RECEIPT_AGAIN_MS):
                again = partial(self._receipt, channel, message, passage, fate, tries + 1)
                self._world.after(RECEIPT_AGAIN_MS[tries], again)
            return
        sql = "SELECT status FROM message WHERE id = ?"
        if self._service.storage.look(sql, message.id)[0][0] == "failed":
            self._recorded([message.result(Receipt(fate))], before)

    def silences(self) -> None:
        """Go on where a receipt should have come. Where one did not, something other than time may
        have moved a ladder."""
        if receipts.silent(clock.now_ms()):
            for story in self._night.alarms_open():
                story.moved_at = self._service.now()

    def _alarms(self) -> dict[int, Alarm]:
        """The open alarms as they stand, by watch."""
        return {story.watch: story.alarm for story in self._night.alarms_open()}

    def _recorded(self, results: Sequence[DeliveryResult], before: dict[int, Alarm]) -> None:
        bad = [r for r in results if r.receipt.fate in (Fate.FAILED, Fate.OPTED_OUT)]
        for result in bad:
            assert result.message is not None
            self._night.mails[result.message].accepted = False
        self._night.died([r.address for r in bad if r.address is not None], before)
