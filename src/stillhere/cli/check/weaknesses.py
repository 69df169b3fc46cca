"""What works tonight and may fail next week: every weakness in plain words, and what to do about
it.

None of them makes an installation count as practice; only the proofs of ``proof.py`` do. What this
machine reports about itself is passed in. Changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from stillhere import sip
from stillhere.channels.base import REFUSED, Capability
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.failover import Relay
from stillhere.channels.carriers.telegram import TelegramCarrier
from stillhere.channels.pager import addresses, channels_for
from stillhere.cli.actions.peer import heard
from stillhere.cli.backup_file import postgresql_programs, record
from stillhere.cli.check import recordings, time_kept
from stillhere.cli.check.damage import is_gone
from stillhere.cli.data_lock import LOCK_FILE
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import build_channels
from stillhere.core.messages import TELEGRAM, Cost
from stillhere.core.paging.on_call import OnCall, turn
from stillhere.store.db import clock
from stillhere.store.inbound import gateway_clocks
from stillhere.store.installation import peers, upkeep
from stillhere.store.people import suppression
from stillhere.store.watches import damage, queries
from stillhere.web.guide import print, speech

Finding = tuple[bool, str]

TESTED_DAYS = 30
PAGES_DAYS = 30
BACKUP_DAYS = 7
DAY_MS = 24 * 3600 * 1000
LOW = 5  # of a carrier's currency, where the setting names nothing
LEAST_FREE = 500 * 1000 * 1000  # bytes
LEAST_FREE_SHARE = 0.1
LATE_MS = 2_000
SETS = {
    "text": "set STILLHERE_CARRIERS",
    "call": "set STILLHERE_CARRIERS",
    "whatsapp": "set STILLHERE_CARRIERS",
    "telegram": "set STILLHERE_CARRIERS",
    "email": "set STILLHERE_SMTP_URL",
}
SPARE_FILES = 256  # the database, the log, and what waits to be sent


class DiskStat(Protocol):
    """The parts of ``os.statvfs`` that count."""

    @property
    def f_frsize(self) -> int: ...
    @property
    def f_blocks(self) -> int: ...
    @property
    def f_bavail(self) -> int: ...


def questions() -> tuple[Callable[[Stillhere], Iterator[Finding]], ...]:
    """Every question, to be asked on its own: what cannot be read for one hides no other."""
    return (
        installed,
        ways_out,
        coordinator,
        pages,
        carriers,
        recordings.by_call,
        recordings.left_behind,
        lambda _: gateways(),
        reached,
        lambda _: tested(),
        lambda _: waiting(),
        lambda _: set_aside(),
        lambda _: engine(),
        lambda _: backups(),
        backup_failed,
        disk,
        time_kept.look,
        open_files,
        lambda _: looked_after(),
    )


def ways_out(stillhere: Stillhere) -> Iterator[Finding]:
    """A second way in case the first one fails. That nothing rings at all is covered by a proof."""
    channels = {c.name: c for c in build_channels(stillhere).values() if c.name != "page"}
    ringing = sorted(n for n, c in channels.items() if Capability.RINGS in c.capabilities)
    if len(channels) < 2:
        only = ", ".join(channels) or "this page"
        yield False, f"The only way out is {only}: when it fails nobody hears. Set up a second."
    if len(ringing) == 1:
        yield (
            False,
            (
                f"Only {ringing[0]} makes a phone ring: when its provider fails nobody wakes up. "
                "Set up a second."
            ),
        )
    elif ringing:
        yield True, f"Phones ring by {len(ringing)} ways. Are they different providers?"


def coordinator(stillhere: Stillhere) -> Iterator[Finding]:
    """Paging must not depend on what breaks."""
    if not stillhere.coordinator:
        yield False, "Nobody is paged when a ladder is exhausted: set STILLHERE_COORDINATOR."
    elif any(_is_here(_host(each), stillhere) for each in addresses(stillhere.coordinator)):
        yield False, "The coordinator's mailbox is on this machine and dies with it: use another."
    else:
        yield from _on_call(stillhere.coordinators)
    if stillhere.heartbeat_url and _is_here(_host(stillhere.heartbeat_url), stillhere):
        yield False, "The watcher outside is on this machine and dies with it: use another."
    lost = upkeep.pages_lost(clock.now_ms(), PAGES_DAYS)
    if lost:
        yield (
            False,
            (
                f"{lost} messages to the coordinator failed within {PAGES_DAYS} days: is "
                "STILLHERE_COORDINATOR right, and the mail server there?"
            ),
        )


def _on_call(people: Sequence[OnCall]) -> Iterator[Finding]:
    """Who is paged now, who then, and what is missing."""
    if not people:
        yield (
            True,
            (
                "Pages go to STILLHERE_COORDINATOR. Name the people there, and a page that nobody "
                "answers goes on to the next (docs/settings.md)."
            ),
        )
        return
    now = clock.now_ms()
    first = turn(people, now, ())
    then = turn(people, now, {each.name for each in first})
    yield (
        True,
        (
            f"Paged now: {_names(first)}. Three minutes later, if nobody says that they look: "
            f"{_names(then)}."
        ),
    )
    for each in people:
        if not any(way.startswith("+") for way in each.ways):
            yield False, f"Nothing rings at {each.name}: a page wakes nobody. Add a phone number."
        phones = [("text", way) for way in each.ways if way.startswith("+")]
        if suppression.silenced(phones):
            yield False, f"{each.name} texted STOP: no page rings there. START lets us again."


def _names(people: Sequence[OnCall]) -> str:
    return ", ".join(each.name for each in people)


def pages(stillhere: Stillhere) -> Iterator[Finding]:
    """Every address of the coordinator needs a channel that is set up here."""
    here = build_channels(stillhere)
    for each in addresses(stillhere.coordinator):
        if not any(name in here for name in channels_for(each)):
            yield (
                False,
                (
                    "STILLHERE_COORDINATOR holds an e-mail address, and no mail is sent from here: "
                    "set STILLHERE_SMTP_URL."
                ),
            )


def carriers(stillhere: Stillhere) -> Iterator[Finding]:
    """Whether the carriers of texts and calls have money left, and what they charged this month."""
    if not stillhere.carriers:
        return
    if any(carrier.kind == "sip" for carrier in stillhere.carriers) and sip.missing():
        names = ", ".join(sip.missing())
        yield False, f"The direct line cannot ring without {names}: {sip.INSTALL}"
    for carrier in stillhere.carriers:
        if carrier.kind == "whatsapp" and "template" not in carrier.options:
            yield (
                False,
                (
                    f"{carrier.name} has no template=: whoever wrote more than 24 hours ago is not "
                    "reached by WhatsApp. Have one approved: docs/handbook/phones.md."
                ),
            )
    yield from ((False, wrong) for wrong in asyncio.run(_deaf(stillhere)))
    channels = build_channels(stillhere).values()
    relays = [channel for channel in channels if isinstance(channel, Relay)]
    for carrier, left in asyncio.run(_balances(relays)).items():
        said = f"{left.micros / 1e6:.2f} {left.currency} are left at {carrier.name}"
        if left.micros < (carrier.low or LOW) * 1_000_000:
            yield False, f"{said}: pay in, or texts and calls end in the middle of a night."
        else:
            yield True, f"{said}."
    caps = {each.name: each.cap for each in stillhere.carriers if each.cap is not None}
    for name in sorted(upkeep.over(caps, clock.now_ms())):
        yield (
            False,
            (
                f"{name} took its {caps[name]} of this month: invitations, tests and drills may "
                "wait. Asks and alarms never do. Raise cap= if that is too little."
            ),
        )
    for name, currency, micros, count in upkeep.spent(clock.now_ms()):
        yield True, f"{name} took {micros / 1e6:.2f} {currency} for {count} messages this month."


def gateways() -> Iterator[Finding]:
    """What was noticed of the phones that carry our texts."""
    for name, off_ms in gateway_clocks.offsets(settings.WALL_MS()).items():
        minutes = max(round(abs(off_ms) / 60_000), 1)
        span = "1 minute" if minutes == 1 else f"{minutes} minutes"
        way = "early" if off_ms > 0 else "late"
        yield True, f"{name} stamps texts {span} {way}: they are counted from when they arrive."


def installed(stillhere: Stillhere) -> Iterator[Finding]:
    """Programs of others that we call, and that are missed only on the day they are needed."""
    if not print.able():
        yield False, f"Cards and leaflets cannot be printed here: {print.INSTALL}"
    if not speech.able():
        yield False, "Phones without a voice hear no steps: sudo apt-get install espeak-ng"
    if not stillhere.database_url:
        return
    try:
        version, server = (
            postgresql_programs.version("pg_dump"),
            connection.get_database_version()[0],
        )
    except SettingError as missing:
        yield False, f"No backup can be made: {missing}"
        return
    if version < server:
        said = f"pg_dump {version} is older than the server, which is {server}"
        install = f"on Debian: sudo apt-get install postgresql-client-{server}"
        yield False, f"No backup can be made: {said}; {install}"


def reached(stillhere: Stillhere) -> Iterator[Finding]:
    """Whether queued messages can leave, and whether everybody on a list can be reached by a
    channel set up here."""
    for channel, carrier, why, count in upkeep.refusing(REFUSED):
        yield (
            False,
            (
                f"{carrier or channel} {why}, and {count} messages wait: look at the account, its "
                "password and its money. What waits leaves by itself then."
            ),
        )
    for channel, count in upkeep.cut_off(build_channels(stillhere)):
        yield (
            False,
            (
                f"{count} people on lists can be reached only by {channel}, and nothing here sends "
                f"that: {SETS.get(channel, 'set it up')}, or ask them for another way."
            ),
        )


async def _deaf(stillhere: Stillhere) -> list[str]:
    """What is wrong with a bot, and with how we hear what people write to it."""
    relay = build_channels(stillhere).get(TELEGRAM)
    if not isinstance(relay, Relay):
        return []
    if not stillhere.base_url.startswith("https://"):
        return ["Telegram tells what people write to https alone: set STILLHERE_BASE_URL."]
    bots = [each for each in relay.carriers.values() if isinstance(each, TelegramCarrier)]
    found = [f"{bot.name}: {wrong}." for bot in bots for wrong in await bot.listens()]
    await relay.close()
    return found


async def _balances(relays: Sequence[Relay]) -> dict[Carrier, Cost]:
    """The balance at each carrier that reports one."""
    found: dict[Carrier, Cost] = {}
    for relay in relays:
        for name, each in relay.carriers.items():
            left = await each.balance() if name not in {c.name for c in found} else None
            if left is not None:
                found[each.carrier] = left
        await relay.close()
    return found


def _host(address: str) -> str:
    if "://" in address:
        return (urlsplit(address).hostname or "").lower()
    return address.rpartition("@")[2].lower()


def _is_here(host: str, stillhere: Stillhere) -> bool:
    mine = {"localhost", "::1", stillhere.hostname.lower(), socket.gethostname().lower()}
    return host in mine or host.startswith("127.")


def tested() -> Iterator[Finding]:
    """Phones change; only a test ring proves that one still works."""
    lists = upkeep.lists(clock.now_ms(), TESTED_DAYS)
    if lists.untested:
        yield (
            False,
            (
                f"{lists.untested} of {lists.contacts} people on lists have not said within "
                f"{TESTED_DAYS} days that a test rang: ask them to press it on their page."
            ),
        )
    elif lists.contacts:
        yield True, f"All {lists.contacts} people on lists said lately that a test rang."


def waiting() -> Iterator[Finding]:
    """What only a person can do."""
    unseen = upkeep.unseen()
    if unseen:
        yield False, f"{unseen} watches wait for a person to look: `stillhere desk`."


def set_aside() -> Iterator[Finding]:
    """Watches whose rows cannot be read."""
    aside, looked = damage.unwatched(damage.aside(), clock.now_ms())
    if aside:
        which, them = ("1 watch", "it") if aside == 1 else (f"{aside} watches", "them")
        nobody = f"{which} cannot be read: the database file is damaged. Nobody watches {them}"
        was = "was" if looked == 1 else "were"
        seen = f" ({looked} {was} looked at)" if looked else ""
        do = 'Phone them, press "I have looked" at the desk, put the newest backup back'
        told = "of their contacts those were told who can be read"
        yield False, f"{nobody}{seen}; {told}. {do} (`stillhere restore`)."


def engine() -> Iterator[Finding]:
    """Whether it keeps up. Whether it runs at all is checked elsewhere."""
    late_ms = queries.latest_due_ms(clock.now_ms()) / clock.read().rate
    if late_ms > LATE_MS:
        yield False, f"Watches are looked at {late_ms / 1000:.0f} s late: is the engine running?"


def backups() -> Iterator[Finding]:
    """How old the last whole backup is. Whether a copy is kept elsewhere cannot be seen from
    here."""
    at, now = queries.installation().backed_up_at, clock.now_ms()
    days = (now - at) // DAY_MS
    if not at:
        yield False, "There is no backup: `stillhere backup`, and keep it on another machine."
    elif days >= BACKUP_DAYS:
        yield False, f"The last backup is {days} days old: `stillhere backup`, every night."
    else:
        yield True, f"The last backup is {days} days old. Does it lie on another machine?"


def backup_failed(stillhere: Stillhere) -> Iterator[Finding]:
    """What went wrong with the nightly backup, when nobody was looking. That its database is gone
    is said already."""
    last = record.read(stillhere.data)
    if last.failed and not is_gone(stillhere):
        at = record.moment(last.failed_at)
        yield False, f"The last try at a backup failed, {at}: {last.failed}"


def disk(
    stillhere: Stillhere, statvfs: Callable[[Path], DiskStat] = os.statvfs
) -> Iterator[Finding]:
    """A full disk stores no check-in."""
    fs = statvfs(stillhere.data)
    free, whole = fs.f_bavail * fs.f_frsize, fs.f_blocks * fs.f_frsize
    said = f"{_size(free)} of {_size(whole)} are free on the disk of the data folder"
    if free < LEAST_FREE or free < whole * LEAST_FREE_SHARE:
        yield False, f"{said}: make room. When it is full, no check-in can be kept."
    else:
        yield True, f"{said}."
    held = upkeep.database_bytes()
    if held is not None:
        yield True, f"The database holds {_size(held)}. Is there room on its own machine?"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def open_files(stillhere: Stillhere, root: Path = Path("/")) -> Iterator[Finding]:
    """Every open page is a connection: at worst one for each person and one for each of their
    contacts."""
    most = _most_open(stillhere, root)
    lists = upkeep.lists(clock.now_ms(), TESTED_DAYS)
    wanted = SPARE_FILES + 2 * (lists.people + lists.contacts)
    if most is not None and most < wanted:
        yield (
            False,
            (
                f"It may hold {most} files and connections, and {lists.people} people with "
                f"{lists.contacts} on their lists may need {wanted}: LimitNOFILE= in its unit, or "
                "`ulimit -n`, and start it again."
            ),
        )


def _most_open(stillhere: Stillhere, root: Path) -> int | None:
    """The limit of the process running on this data folder, else our own; None for no limit."""
    try:
        running = (stillhere.data / LOCK_FILE).read_text().split()[0]
        limits = (root / "proc" / running / "limits").read_text()
    except (OSError, IndexError):
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return None if soft == resource.RLIM_INFINITY else soft
    found = re.search(r"^Max open files\s+(\d+)", limits, re.MULTILINE)
    return int(found[1]) if found else None


def looked_after() -> Iterator[Finding]:
    """The installations that call in here."""
    now = clock.now_ms()
    for peer in peers.seen(now):
        how = heard(peer.heard_at, peer.silent, now)
        if not peer.heard_at:
            yield False, f"{peer.name}: {how}. Has its coordinator set the address?"
        elif peer.silent:
            yield False, f"{peer.name}: {how}. Phone its coordinator."
        else:
            yield True, f"{peer.name}: {how}."
