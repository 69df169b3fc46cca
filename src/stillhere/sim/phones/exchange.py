"""The phones themselves: what each one holds, and what a carrier would report of it.

Owns the state of every phone and the rules of a call: it rings, is answered or not, hears keys,
ends. Every method changes state at once and returns the events a carrier would send. Knows no
network and no clock (``now_ms`` is an argument), and refuses to grow without bound.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_ENTRIES = 60
MAX_WAITING = 60
MAX_REMEMBERED = 200_000


class ActError(ValueError):
    """Something a phone cannot do now. The message is one plain sentence."""


class NoSuchNumberError(LookupError):
    """A send to a number that the carrier refuses at once."""


class LineState(StrEnum):
    """Whether a number works. A real carrier tells of a dead one late, or refuses it at once."""

    ALIVE = "alive"
    DEAD = "dead"  # taken, then reported as undeliverable
    REFUSED = "refused"  # refused at once


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One thing the carrier reports: a receipt, a text, a key, a missed call; a turn of a call to
    us, and its end. ``at`` and ``turn`` say where in a call it is."""

    kind: str
    channel: str
    number: str
    message_id: str = ""
    status: str = ""
    text: str = ""
    reply_ref: str = ""
    at: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """One text or call that was handed in: the provider's id for it, and what to show or say."""

    id: str
    channel: str
    number: str
    text: str
    lang: str = "en"
    choices: Mapping[str, str] = field(default_factory=dict)
    reply_ref: str = ""

    def report(self, status: str) -> CarrierEvent:
        return CarrierEvent(
            kind="receipt",
            channel=self.channel,
            number=self.number,
            message_id=self.id,
            status=status,
            reply_ref=self.reply_ref,
        )


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One line on a phone's screen. ``kind``: text-in, text-out, key, call, missed."""

    kind: str
    text: str
    at_ms: int


@dataclass(slots=True)
class Call:
    """The call a phone is in: ringing, then answered. ``says`` is what our voice says. ``to_us``:
    the phone's owner rings us. ``at`` and ``turn`` are the other side's, to be given back."""

    order: Order
    says: str
    answered: bool = False
    to_us: bool = False
    at: str = ""
    turn: int = 0

    def tells(self, key: str) -> CarrierEvent:
        """A key, or with none the silence, at this point of the call."""
        return CarrierEvent(
            kind="turn" if self.to_us else "key",
            channel="call",
            number=self.order.number,
            message_id=self.order.id,
            text=key,
            reply_ref=self.order.reply_ref,
            at=self.at,
            turn=self.turn,
        )


@dataclass(frozen=True, slots=True)
class TurnAnswer:
    """What the other side answers to a turn: what is said, how long it listens then, and whether
    it hangs up or does not pick up at all."""

    says: str
    listens_s: int = 0
    at: str = ""
    turn: int = 0
    hang_up: bool = False
    reject: bool = False


@dataclass(slots=True)
class Phone:
    """One phone of the cast."""

    name: str
    number: str
    role: str = ""
    line: LineState = LineState.ALIVE
    is_off: bool = False
    call: Call | None = None
    entries: deque[ScreenEntry] = field(default_factory=lambda: deque(maxlen=MAX_ENTRIES))
    waiting: deque[Order] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))

    def note(self, kind: str, text: str, now_ms: int) -> None:
        self.entries.append(ScreenEntry(kind, text, now_ms))

    def view(self) -> dict[str, object]:
        """What the page shows."""
        call = self.call
        return {
            "name": self.name,
            "number": self.number,
            "role": self.role,
            "line": self.line.value,
            "off": self.is_off,
            "waiting": len(self.waiting),
            "call": None
            if call is None
            else {
                "answered": call.answered,
                "to_us": call.to_us,
                "says": call.says,
                "choices": dict(call.order.choices),
            },
            "entries": [{"kind": e.kind, "text": e.text, "at_ms": e.at_ms} for e in self.entries],
        }


class Exchange:
    """All phones of one process.

    ``any_number`` lets sends to numbers outside the cast through, unseen: their texts are
    delivered, their calls not answered (for load, where thousands of numbers are needed).
    ``version`` grows with every change, so that a page knows when to look again. ``run`` is
    different in every process: ids must not come again after a restart.
    """

    def __init__(self, cast: Iterable[Phone], *, run: str, any_number: bool = False) -> None:
        self.phones = {phone.number: phone for phone in cast}
        self.version = 0
        self._run = run
        self._any_number = any_number
        self._taken: OrderedDict[str, str] = OrderedDict()
        self._count = 0

    def find(self, name_or_number: str) -> Phone:
        wanted = name_or_number.strip().lower()
        for phone in self.phones.values():
            if wanted in {phone.number, phone.name.lower()}:
                return phone
        raise ActError(f"Nobody here has the phone {name_or_number[:40]!r}.")

    def already_taken(self, key: str) -> str:
        """The id of the order with this idempotency key, or ``""``."""
        return self._taken.get(key, "")

    def next_id(self, channel: str) -> str:
        self._count += 1
        return f"{channel}-{self._run}-{self._count}"

    def take(self, order: Order, key: str, now_ms: int) -> list[CarrierEvent]:
        """Accept a text or a call. Raises ``NoSuchNumberError`` and remembers nothing then."""
        phone = self.phones.get(order.number)
        if phone is None and not self._any_number:
            raise NoSuchNumberError
        if phone is not None and phone.line is LineState.REFUSED:
            raise NoSuchNumberError
        if key:
            self._taken[key] = order.id
            if len(self._taken) > MAX_REMEMBERED:
                self._taken.popitem(last=False)
        self.version += 1
        if phone is None:
            return [order.report("delivered" if order.channel == "text" else "no-answer")]
        if phone.line is LineState.DEAD:
            return [order.report("undeliverable")]
        if order.channel == "text":
            return self._text(phone, order, now_ms)
        return self._ring(phone, order, now_ms)

    def _text(self, phone: Phone, order: Order, now_ms: int) -> list[CarrierEvent]:
        if phone.is_off:
            phone.waiting.append(order)
            return []
        phone.note("text-in", order.text, now_ms)
        return [order.report("delivered")]

    def _ring(self, phone: Phone, order: Order, now_ms: int) -> list[CarrierEvent]:
        if phone.is_off:
            return [order.report("no-answer")]
        if phone.call is not None:
            phone.note("missed", "", now_ms)
            return [order.report("busy")]
        phone.call = Call(order, order.text)
        return []

    def ring_out(self, order: Order, now_ms: int) -> list[CarrierEvent]:
        """It has rung long enough: nobody answers."""
        phone = self._in_call(order)
        if phone is None or phone.call is None or phone.call.answered:
            return []
        return self._end(phone, "no-answer", now_ms)

    def finish(self, order: Order, now_ms: int) -> None:
        """A call that was picked up has lasted long enough."""
        phone = self._in_call(order)
        if phone is not None:
            self._end(phone, "", now_ms)

    def _in_call(self, order: Order) -> Phone | None:
        phone = self.phones.get(order.number)
        call = phone.call if phone is not None else None
        return phone if call is not None and call.order is order else None

    def _end(self, phone: Phone, unanswered: str, now_ms: int) -> list[CarrierEvent]:
        call = phone.call
        if call is None:
            return []
        phone.call = None
        self.version += 1
        if call.answered or call.to_us:
            phone.note("call", call.says, now_ms)
            return []
        phone.note("missed", "", now_ms)
        return [call.order.report(unanswered)]

    def answer(self, phone: Phone) -> list[CarrierEvent]:
        if phone.call is None or phone.call.answered or phone.call.to_us:
            raise ActError(f"{phone.name}'s phone is not ringing.")
        phone.call.answered = True
        self.version += 1
        return [phone.call.order.report("answered")]

    def key(self, phone: Phone, key: str, now_ms: int) -> list[CarrierEvent]:
        if phone.call is None or not phone.call.answered:
            raise ActError(f"{phone.name} is not in a call.")
        if len(key) != 1 or key not in "0123456789*#":
            raise ActError("A key is one of 0 to 9, * and #.")
        phone.note("key", key, now_ms)
        self.version += 1
        return [phone.call.tells(key)]

    def silent(self, order: Order, turn: int) -> list[CarrierEvent]:
        """Nothing was pressed for as long as the other side listens."""
        phone = self._in_call(order)
        call = phone.call if phone is not None else None
        if call is None or not call.answered or not call.to_us or call.turn != turn:
            return []
        return [call.tells("")]

    def say(self, message_id: str, number: str, said: TurnAnswer, now_ms: int) -> Order | None:
        """The other side goes on talking in a call, and may end it. The call that goes on."""
        phone = self.phones.get(number)
        call = phone.call if phone is not None else None
        if phone is None or call is None or call.order.id != message_id:
            return None
        if said.says:
            call.says = said.says
            self.version += 1
        call.at, call.turn = said.at, said.turn
        if said.reject:
            phone.call = None
            phone.note("rang-us", "", now_ms)
            self.version += 1
            return None
        call.answered = True
        if said.hang_up:
            self._end(phone, "", now_ms)
        return call.order if phone.call is call else None

    def hang_up(self, phone: Phone, now_ms: int) -> list[CarrierEvent]:
        if phone.call is None:
            raise ActError(f"{phone.name} is not in a call.")
        call = phone.call
        ended = self._end(phone, "busy", now_ms)
        return [CarrierEvent("ended", "call", phone.number, call.order.id)] if call.to_us else ended

    def call_us(self, phone: Phone) -> list[CarrierEvent]:
        """The phone's owner calls us, to talk."""
        self._must_work(phone)
        if phone.call is not None:
            raise ActError(f"{phone.name} is in a call.")
        phone.call = Call(Order(self.next_id("call"), "call", phone.number, ""), "", to_us=True)
        self.version += 1
        return [phone.call.tells("")]

    def send_text(self, phone: Phone, text: str, now_ms: int) -> list[CarrierEvent]:
        self._must_work(phone)
        if not text.strip():
            raise ActError("Type something first.")
        phone.note("text-out", text, now_ms)
        self.version += 1
        return [CarrierEvent(kind="text", channel="text", number=phone.number, text=text)]

    def ring_us(self, phone: Phone, now_ms: int) -> list[CarrierEvent]:
        """The phone's owner calls us and hangs up before anyone answers: a check-in for free."""
        self._must_work(phone)
        phone.note("rang-us", "", now_ms)
        self.version += 1
        return [CarrierEvent(kind="missed-call", channel="call", number=phone.number)]

    def switch(self, phone: Phone, *, off: bool, now_ms: int) -> list[CarrierEvent]:
        phone.is_off = off
        self.version += 1
        if off:
            return self._end(phone, "no-answer", now_ms)
        if phone.line is not LineState.ALIVE:
            return []
        return self._deliver_waiting(phone, now_ms)

    def set_line(self, phone: Phone, line: LineState, now_ms: int) -> list[CarrierEvent]:
        phone.line = line
        self.version += 1
        if line is not LineState.ALIVE:
            return self._end(phone, "no-answer", now_ms)
        return [] if phone.is_off else self._deliver_waiting(phone, now_ms)

    def _deliver_waiting(self, phone: Phone, now_ms: int) -> list[CarrierEvent]:
        orders = list(phone.waiting)
        phone.waiting.clear()
        return [event for order in orders for event in self._text(phone, order, now_ms)]

    def _must_work(self, phone: Phone) -> None:
        if phone.is_off:
            raise ActError(f"{phone.name}'s phone is switched off.")
        if phone.line is not LineState.ALIVE:
            raise ActError(f"{phone.name}'s number is dead.")
