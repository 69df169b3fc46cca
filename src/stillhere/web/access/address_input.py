"""How this installation reaches phones, and whether it could wake anyone at all.

Owns the honest answer to "is this only practice?" and the step from what a person typed to ways of
reaching somebody. Sends nothing.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from django.db import Error
from django.utils.translation import gettext as _

from stillhere.channels.base import AddressError, Capability, Channel
from stillhere.channels.network_policy import is_local_name
from stillhere.content import steps
from stillhere.store.db import clock
from stillhere.store.installation import proof
from stillhere.store.models import Person
from stillhere.store.people import push_subscriptions, records
from stillhere.store.problems import Reached
from stillhere.store.watches import queries

log = logging.getLogger("stillhere.web")

# What a person types once, and the channels it opens.
KINDS: dict[str, tuple[str, ...]] = {
    "phone": ("text", "call"),
    "email": ("email",),
    "chat": ("chat",),
}
LONGEST_TYPED = 2000


class AddressSettings(Protocol):
    """The settings this file looks at."""

    @property
    def demo(self) -> bool: ...
    @property
    def https(self) -> bool: ...
    @property
    def hostname(self) -> str: ...
    @property
    def heartbeat_url(self) -> str: ...


class _Built:
    """The channels of these settings, built once: some of their libraries are slow to load."""

    for_settings: object = None
    channels: Mapping[str, Channel] = {}


def channels() -> Mapping[str, Channel]:
    """The channels of this installation. Here they are only used to normalize addresses. If they
    cannot be built there are none, and every page says so: it must still be shown."""
    if _Built.for_settings is not settings.STILLHERE:
        try:
            _Built.channels = settings.BUILD_CHANNELS(settings.STILLHERE)
        except Exception:
            log.exception("no channels: they could not be built")
            _Built.channels = {}
        _Built.for_settings = settings.STILLHERE
    return _Built.channels


def here(names: Iterable[str]) -> list[str]:
    """Those of these channels that this installation has: an address alone reaches nobody."""
    known = channels()
    return [name for name in names if name in known]


def ways_to(person: Person) -> list[str]:
    """The channels by which this installation can ask the person while no page is open."""
    return here(records.own_channels(person))


def rings(names: Iterable[str]) -> bool:
    """Whether one of these channels makes a phone ring here."""
    known = channels()
    return any(Capability.RINGS in known[name].capabilities for name in here(names))


def practice_reasons(
    here: AddressSettings, known: Mapping[str, Channel], proved: Collection[str]
) -> list[str]:
    """Why nobody would be woken tonight, one sentence each; empty when nothing is missing.
    ``proved`` is what `stillhere check` has proved (``store/installation/proof.py``)."""
    if here.demo:
        return [_("The phones are drawn on a page. Nobody real is called.")]
    reasons = list(_unsigned())
    if not (here.https and _is_public(here.hostname)):
        reasons.append(_("It has no public address with https, so links do not open elsewhere."))
    elif proof.PUBLIC not in proved:
        reasons.append(_("It is not proved that its address opens from elsewhere."))
    if not any(Capability.RINGS in channel.capabilities for channel in known.values()):
        reasons.append(_("It has no way to make a phone ring, so nobody wakes up."))
        reasons.append(
            _("Mail and chat messages are really sent, but they wake nobody.")
            if "email" in known
            else _("It has no mail server. Chat messages are really sent, but they wake nobody.")
        )
    elif proof.RINGS not in proved:
        reasons.append(_("It is not proved that a phone rings."))
    if not here.heartbeat_url:
        reasons.append(_("Nobody outside would notice if it stopped."))
    elif proof.HEARTBEAT not in proved:
        reasons.append(_("It is not proved that somebody outside would notice if it stopped."))
    if proof.AWAKE not in proved:
        reasons.append(_("It is not proved that this machine never sleeps."))
    if reasons:
        reasons.append(_("Whoever runs this can prove it: stillhere check."))
    return reasons


def _unsigned() -> Iterator[str]:
    if steps.signature() is None:
        yield _("No clinician has signed the steps for the one who comes.")


class _Learnt:
    """What was proved, as last read: pages that must work without a database use it too."""

    proved: frozenset[str] = frozenset()


def learn() -> None:
    """Read what is currently proved. Without a database nothing changes."""
    try:
        here = queries.installation()
        now = clock.now_ms()
    except Error:
        return
    _Learnt.proved = proof.proved(here, settings.STILLHERE.base_url, now)


def practice() -> list[str]:
    """Why this installation is only practice, as far as we last read."""
    return practice_reasons(settings.STILLHERE, channels(), _Learnt.proved)


def leaving() -> str:
    """What is really sent from here even if it is practice: "text", "call", both words or none."""
    if settings.STILLHERE.demo:
        return ""
    return " ".join(name for name in ("text", "call") if name in channels())


def _is_public(hostname: str) -> bool:
    try:
        return ipaddress.ip_address(hostname.strip("[]")).is_global
    except ValueError:
        return not is_local_name(hostname)


def kinds() -> list[str]:
    """The kinds of address that can be typed here: those that some channel of this installation
    accepts."""
    known = channels()
    return [kind for kind, names in KINDS.items() if any(name in known for name in names)]


@dataclass(slots=True)
class Typed:
    """What was typed, as ways to reach somebody, or what is wrong with it, by kind."""

    ways: list[Reached] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)


def read(typed: Mapping[str, str]) -> Typed:
    """Normalize every address. ``typed`` holds text by kind; empty values are left out."""
    known, found = channels(), Typed()
    for kind, names in KINDS.items():
        text = typed.get(kind, "").strip()[:LONGEST_TYPED]
        if kind == "phone":
            text = " ".join(text.split())  # pasted over two lines
        for name in names:
            channel = known.get(name)
            if not text or channel is None or kind in found.wrong:
                continue
            try:
                value = channel.normalise(text)
            except AddressError as error:
                found.wrong[kind] = _(str(error))
            else:
                rings = Capability.RINGS in channel.capabilities
                found.ways.append(Reached(name, value, rings))
    return found


def kind_of(channel: str) -> str:
    """The kind of address a channel accepts."""
    return next((kind for kind, names in KINDS.items() if channel in names), channel)


def channel() -> Channel | None:
    """The channel to browsers, if this installation has it."""
    return channels().get(push_subscriptions.CHANNEL)


def public_key() -> str:
    """The key that a page gives its browser for subscribing; "" if there are no notifications."""
    return str(getattr(channel(), "public_key", ""))


def text_number() -> str:
    """The number for a text when no page opens; "" if nobody reads texts."""
    for carrier in settings.STILLHERE.carriers:
        if "text" in carrier.carries and carrier.sender:
            return str(carrier.sender)
    return ""
