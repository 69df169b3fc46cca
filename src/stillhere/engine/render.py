"""From a leased message to what is sent: facts become words, rows become links."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from stillhere.channels.base import Outgoing
from stillhere.channels.carriers.carrier import PLAYS
from stillhere.channels.wording import compose
from stillhere.content import helplines, steps
from stillhere.store.db import encryption
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.people.numbers import strangers


def render(m: LeasedMessage, to: str) -> Outgoing:
    """One message for the address ``to``, in the language of whoever reads it."""
    return replace(
        compose(m.word, replace(m.facts, says=_says(m)), m.lang, m.channel),
        key=m.key,
        to=to,
        link=link(m),
        reply_ref=str(m.id),
        avoid=frozenset({m.carrier}) if m.carrier else frozenset(),
        answers=m.word.startswith(strangers.ANSWERS),
    )


def _says(m: LeasedMessage) -> str:
    """What this message quotes of the reviewed content."""
    if m.word == "reply-stay":
        return helplines.listening()
    if m.word in ("reply-nobody", "reply-hello") and m.channel != "call":
        return helplines.to_call_now()
    if m.facts.spoken:
        return _number_to_ring()
    return steps.told(m.facts.step, m.lang) if m.facts.step else ""


def _number_to_ring() -> str:
    """Ours, where what was said in a call is played; "" if there is none."""
    calls = (c for c in settings.STILLHERE.carriers if "call" in c.carries and c.kind in PLAYS)
    return next((c.sender for c in calls if c.sender), "")


def link(m: LeasedMessage) -> str:
    """Where this message leads: the contact's page, the person's button, or the coordinator's
    desk."""
    base = settings.STILLHERE.base_url
    if m.word in ("list", "list-busy", "reply-alarms"):
        return ""  # of which alarm it would be nobody can say
    if m.contact is not None:
        proof = f"?c={m.carried}" if m.carried else ""
        return f"{base}/c/{encryption.key_for('contact', m.contact_nonce)}{proof}"
    if m.address is None:
        return f"{base}/look/{m.carried}" if m.carried else f"{base}/desk"
    if m.word == "prove":
        return f"{base}/people?c={m.carried}"
    if m.word == "news":
        return f"{base}/before"
    if m.word.startswith("kit-"):
        return f"{base}/kits"
    return f"{base}/k/{encryption.key_for('watch', m.watch_nonce)}" if m.watch is not None else base
