"""Whether this installation could wake anyone at all.

Owns the honest answer to "is this only practice?". Proves nothing itself: that is done by
``stillhere check`` (``store/installation/proof.py``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

from django.conf import settings
from django.db import Error, connection
from django.utils.translation import gettext as _

from stillhere.channels.base import Capability, Channel
from stillhere.channels.network_policy import is_local_name
from stillhere.content import steps
from stillhere.core.messages import WRITTEN
from stillhere.store.db import clock
from stillhere.store.installation import proof
from stillhere.store.models import Installation
from stillhere.store.watches import queries
from stillhere.web.access.installed_channels import channels


class ReadinessSettings(Protocol):
    """The settings this file looks at."""

    @property
    def demo(self) -> bool: ...
    @property
    def https(self) -> bool: ...
    @property
    def hostname(self) -> str: ...
    @property
    def heartbeat_url(self) -> str: ...
    @property
    def keys_locked(self) -> bool: ...


def practice_reasons(
    here: ReadinessSettings, known: Mapping[str, Channel], proved: Collection[str]
) -> list[str]:
    """Why nobody would be woken tonight, one sentence each; empty when nothing is missing.
    ``proved`` is what `stillhere check` has proved (``store/installation/proof.py``)."""
    if here.demo:
        return [_("The phones are drawn on a page. Nobody real is called.")]
    reasons = [*_unsigned(), *_waits(here)]
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


def _waits(here: ReadinessSettings) -> Iterator[str]:
    if here.keys_locked:
        yield _("After a power cut nobody is watched until a person types a passphrase.")


class _Learnt:
    """What was proved, as last read: pages that must work without a database use it too."""

    proved: frozenset[str] = frozenset()


def learn(here: Installation) -> None:
    """What is proved, by the installation's row as it was just read."""
    _Learnt.proved = proof.proved(
        here, settings.STILLHERE.base_url, clock.now_of(clock.row_of(here))
    )


def look() -> None:
    """Learn it, on a thread that does nothing else; what was learnt before counts where the
    database is away."""
    with suppress(Error):
        connection.close_if_unusable_or_obsolete()
        try:
            learn(queries.installation())
        finally:
            connection.close_if_unusable_or_obsolete()


def proved() -> frozenset[str]:
    """What was proved, as far as we last read."""
    return _Learnt.proved


def practice() -> list[str]:
    """Why this installation is only practice, as far as we last read."""
    return practice_reasons(settings.STILLHERE, channels(), _Learnt.proved)


def leaving() -> str:
    """What is really sent from here even if it is practice: "text", "call", both words or none."""
    if settings.STILLHERE.demo:
        return ""
    known = channels()
    texts = ["text"] if any(name in known for name in WRITTEN) else []
    return " ".join([*texts, *(["call"] if "call" in known else [])])


def _is_public(hostname: str) -> bool:
    try:
        return ipaddress.ip_address(hostname.strip("[]")).is_global
    except ValueError:
        return not is_local_name(hostname)
