"""The cast, and a small language in which a night is told.

A ``Night`` drives one watch through ``step`` with a clock of its own. Time moves only when a test
says so, and ``TimePassed`` comes exactly at ``wake_at``, unless the test makes it late. Everything
the watch asked for is kept with the instant it was asked, so that a test can say who heard what.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from stillhere.core import events as ev
from stillhere.core import profiles, watch
from stillhere.core.alarm import Alarm
from stillhere.core.circle import Circle, Reach
from stillhere.core.events import (
    Ask,
    Cause,
    Effect,
    Event,
    Outcome,
    PageCoordinator,
    State,
    Tell,
    Way,
    Withdraw,
    Word,
)
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from stillhere.core.watch import Step, Watch

# A Saturday evening, 22:00 UTC.
EVENING = 1_769_896_800_000
DAY_S = 24 * 3600

# The contacts of Sam's plan: a mother, a roommate, a responder. Mallory is on nobody's plan.
# Ruth, the coordinator, is ``None``: she is on every alarm.
MAYA, LEO, ANA, MALLORY = 1, 2, 3, 99
RUTH = None

AT_ONE_INSTANT = 50  # more steps than this without time moving is a loop

INJECTED, SNORTED, SWALLOWED, DAILY, TRY = (
    profiles.load(
        resources.files("stillhere.content").joinpath("profiles.toml").read_text("utf-8")
    )[key]
    for key in ("injected", "snorted", "swallowed", "routine", "try")
)
EVERY_NIGHT_AT_TEN = Routine(days=frozenset(range(7)), at=22 * 60, tz="UTC")


def text_of(contact: int) -> int:
    """The id of the address a contact's texts go to."""
    return contact * 10 + 1


def phone_of(contact: int) -> int:
    """The id of the address that rings."""
    return contact * 10 + 2


def reach(contact: int, *, confirmed: bool = True) -> Reach:
    """A contact with two ways to be reached."""
    return Reach(contact, (text_of(contact), phone_of(contact)), confirmed)


def plan(*rungs: tuple[int, ...], unconfirmed: tuple[int, ...] = ()) -> Circle:
    """A ladder of these contacts."""
    return Circle(
        tuple(tuple(reach(c, confirmed=c not in unconfirmed) for c in rung) for rung in rungs)
    )


# Alarms that everybody may know of; what is different under force stands in test_forced.py.
OPEN_CAUSES = (Cause.SILENCE, Cause.HELP)
PLAN = plan((LEO, ANA), (MAYA,))
NOBODY = Circle()


@dataclass(frozen=True, slots=True)
class Heard:
    """One effect, ``s`` seconds after the night began."""

    s: float
    what: Effect


class Night:
    """One watch and everything that happens to it. Seconds count from when the night began."""

    def __init__(
        self,
        profile: Profile = INJECTED,
        circle: Circle = PLAN,
        routine: Routine | None = None,
        begins_at: int = EVENING,
    ) -> None:
        self.circle = circle
        self.begins_at = self.now = begins_at
        self.watch: Watch = watch.start(1, profile, begins_at, routine)
        self.heard: list[Heard] = []
        self.away: list[tuple[int, int]] = []
        self.last = self.do(ev.Started())

    # --- what happens ---------------------------------------------------------------------------

    def do(self, event: Event) -> Step:
        """Let ``event`` happen now."""
        self.last = watch.step(self.watch, event, self.now)
        self.watch = self.last.watch
        self.heard += [Heard(self.s, effect) for effect in self.last.effects]
        return self.last

    def mark(self) -> Step:
        return self.do(ev.Marked())

    def tap(self, *, ago_s: float = 0, seq: int | None = None) -> Step:
        """Sam taps. ``ago_s`` is how long the page kept the tap before it got through."""
        return self.do(ev.StillHere(self.now - round(ago_s * 1000), seq))

    def need_help(self, *, forced: bool = False) -> Step:
        return self.do(ev.NeedHelp(self.circle, forced))

    def more(self, by_s: int) -> Step:
        return self.do(ev.Extended(by_s))

    def end(self) -> Step:
        return self.do(ev.Ended())

    def pause(self, for_s: int) -> Step:
        return self.do(ev.Paused(self.now + for_s * 1000))

    def unclear(self) -> Step:
        return self.do(ev.Unclear())

    def shown(self) -> Step:
        return self.do(ev.Shown(self.watch.asks))

    def claims(self, who: int, eta_s: int | None = 180, *, known: bool = True) -> Step:
        return self.do(ev.Claimed(who, eta_s, known))

    def declines(self, who: int) -> Step:
        return self.do(ev.Declined(who))

    def locked_out(self, who: int) -> Step:
        return self.do(ev.CannotGetIn(who))

    def arrives(self, who: int) -> Step:
        return self.do(ev.Arrived(who))

    def says(self, who: int | None, outcome: Outcome) -> Step:
        return self.do(ev.Resolved(who, outcome))

    def stops(self, who: int) -> Step:
        """STOP: an opt-out."""
        return self.do(ev.OptedOut(who))

    def dead(self, who: int | None, *ways: int) -> Step:
        """These ways of reaching ``who`` failed for good; without ways, all of theirs."""
        for way in ways or ((text_of(who), phone_of(who)) if who is not None else (1,)):
            done = self.do(ev.Undeliverable(who, way))
        return done

    def unheard(self, who: int | None, way: int = 1) -> Step:
        """Nothing was heard of one way to reach ``who`` this time."""
        return self.do(ev.Unheard(who, way))

    # --- time -----------------------------------------------------------------------------------

    @property
    def s(self) -> float:
        """Seconds since the night began."""
        return (self.now - self.begins_at) / 1000

    def tick(self) -> Step:
        """``TimePassed``, now, due or not."""
        return self.do(ev.TimePassed(self.circle, tuple(self.away)))

    def settle(self) -> None:
        """Fire whatever is due at this instant."""
        for _ in range(AT_ONE_INSTANT):
            due = watch.wake_at(self.watch)
            if due is None or due > self.now:
                return
            self.tick()
        raise AssertionError("time stands still")

    def wait(self, seconds: float) -> None:
        """Let time pass, with every timer firing at its very instant."""
        until = self.now + round(seconds * 1000)
        self.settle()
        while (due := watch.wake_at(self.watch)) is not None and due <= until:
            self.now = max(self.now, due)
            self.settle()
        self.now = until

    def wait_until(self, s: float) -> None:
        """Wait until ``s`` seconds after the night began."""
        assert s >= self.s, f"{s} has passed"
        self.wait(s - self.s)

    def sleep(self, seconds: float) -> None:
        """Let time pass with nobody ticking: the engine is late."""
        self.now += round(seconds * 1000)

    def was_down(self, seconds: float) -> None:
        """The service is away for a while; whatever fell due meanwhile hears of it first."""
        away_at = self.now
        self.sleep(seconds)
        self.away.append((away_at, self.now))
        due = watch.wake_at(self.watch)
        if due is not None and due <= self.now:
            self.do(ev.ServiceWasDown(away_at, self.now))
        self.settle()

    def clock_set_back(self, seconds: float) -> Step:
        """The installation's time ran so far ahead, and is right from now on. ``s`` goes on."""
        by_ms = round(seconds * 1000)
        self.now -= by_ms
        self.begins_at -= by_ms
        # As the store does: an outage that would lie ahead by the right time is moved, too.
        self.away = [(a - by_ms, b - by_ms) if b > self.now else (a, b) for a, b in self.away]
        return self.do(ev.ClockSetBack(by_ms))

    def until(self, *states: State, within_s: float = 40 * DAY_S) -> None:
        """Let time pass until the watch stands in one of ``states``; fails if it never does."""
        until = self.now + round(within_s * 1000)
        while self.watch.state not in states:
            due = watch.wake_at(self.watch)
            assert due is not None, f"{self.watch.state} for ever"
            assert due <= until, f"not {states} within {within_s} s"
            self.now = max(self.now, due)
            before = self.watch
            self.tick()
            assert self.watch != before, "a timer fired and nothing changed"

    def until_ask(self) -> None:
        self.until(State.ASKING)

    def until_alarm(self) -> None:
        self.until(State.ALARM)

    # --- what can be seen -----------------------------------------------------------------------

    def state(self) -> State:
        return self.watch.state

    @property
    def alarm(self) -> Alarm:
        """The open alarm; fails without one."""
        assert self.watch.alarm is not None, "there is no alarm"
        return self.watch.alarm

    def mute(self) -> None:
        """Forget what was heard so far."""
        self.heard.clear()

    def asks(self, way: Way | None = None) -> list[Ask]:
        """The asks so far, all or those sent one way."""
        asks = [h.what for h in self.heard if isinstance(h.what, Ask)]
        return [a for a in asks if way is None or a.way is way]

    def asked_s(self, way: Way | None = None) -> list[float]:
        """When each of them went out."""
        return [
            h.s
            for h in self.heard
            if isinstance(h.what, Ask) and (way is None or h.what.way is way)
        ]

    def rang(self) -> bool:
        """Whether Sam's own phone rang."""
        return bool(self.asks(Way.RING))

    def tells(self, who: int | None = None, *words: Word) -> list[Tell]:
        """What a contact was told (or everyone), all or only these words."""
        tells = [h.what for h in self.heard if isinstance(h.what, Tell)]
        return [t for t in tells if who in (None, t.contact) and (not words or t.word in words)]

    def words(self, who: int) -> list[Word]:
        """The words one contact heard, in order."""
        return [t.word for t in self.tells(who)]

    def who_heard(self, word: Word) -> set[int]:
        return {t.contact for t in self.tells(None, word)}

    def told_s(self, who: int, word: Word) -> list[float]:
        """When ``who`` heard ``word``."""
        return [
            h.s
            for h in self.heard
            if isinstance(h.what, Tell) and h.what.contact == who and h.what.word is word
        ]

    def pages(self) -> list[PageCoordinator]:
        """The times Ruth was paged."""
        return [h.what for h in self.heard if isinstance(h.what, PageCoordinator)]

    def paged_s(self) -> list[float]:
        return [h.s for h in self.heard if isinstance(h.what, PageCoordinator)]

    def withdrew(self) -> list[Withdraw]:
        return [h.what for h in self.heard if isinstance(h.what, Withdraw)]


def using(profile: Profile = INJECTED, circle: Circle = PLAN) -> Night:
    """Sam has just marked: the night counts from there."""
    night = Night(profile, circle)
    night.mark()
    night.mute()
    return night


def alarmed(
    circle: Circle = PLAN,
    cause: Cause = Cause.SILENCE,
    profile: Profile = INJECTED,
) -> Night:
    """A night whose alarm was raised this very second: seconds count from the alarm."""
    night = Night(profile, circle)
    if cause is not Cause.SILENCE:
        night.need_help(forced=cause is Cause.FORCE)
    else:
        night.mark()
        night.until_alarm()
    night.heard = [Heard(0, h.what) for h in night.heard if h.s == night.s]
    night.begins_at = night.now
    return night


def evenings(
    profile: Profile = DAILY, circle: Circle = PLAN, routine: Routine = EVERY_NIGHT_AT_TEN
) -> Night:
    """A daily check-in that began at noon the day before ``EVENING``; seconds count from there."""
    return Night(profile, circle, routine, begins_at=EVENING - 34 * 3600 * 1000)
