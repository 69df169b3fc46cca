"""Who is heard, and what goes back: the one way from what came in to what is done about it.

Owns what is the same for everybody, and strangers. What a person says is done in
``person_says.py``, what a contact says in ``contact_says.py``; the sentence of a word stands in
``channels/wording``.
Always runs inside the transaction of ``inbox.take``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stillhere.core.messages import Inbound
from stillhere.core.replies import HELP, Intent
from stillhere.store.inbound import alarm_choice, place, steps_by_text
from stillhere.store.inbound.contact_says import contact_says
from stillhere.store.inbound.intents import contacts_intent, opts_in, persons_intent
from stillhere.store.inbound.person_says import ENDED, person_says
from stillhere.store.inbound.reply import ParsedInbound, Reply, queue, reply, speak_their_language
from stillhere.store.inbound.strangers import unknown_numbers
from stillhere.store.models import Address, Suppression
from stillhere.store.people import opt_out, suppression
from stillhere.store.people.numbers import address_proof


def hear(parsed: ParsedInbound, now: int) -> Reply | None:
    """Do what was said. A text is answered by a text, which is queued, and so is a missed call that
    ends the asking; a key by the reply that comes back."""
    inbound, contact = parsed.inbound, parsed.contact
    facts: Mapping[str, Any] = {}
    unproved = not parsed.address.proved_at
    coded = _coded(parsed)
    if _lets_us_text_again(parsed, now):
        word = "reply-unblocked"
    elif coded is not None:
        address_proof.prove(coded, now)
        parsed = replace(parsed, address=coded)
        word = "reply-proved"
    elif contact is None:
        word, facts = person_says(parsed, now)
    else:
        parsed, word, facts = alarm_choice.choose(parsed, now)
        if not word:
            word = contact_says(parsed, parsed.contact or contact, now)
            facts = steps_by_text.facts(parsed, word, now)
    if parsed.new:
        word = _to_a_newcomer(parsed, word)
    if unproved and parsed.address.proved_at and word in ("reply-not-on", "reply-over"):
        word = "reply-proved"
    if not word or (inbound.kind == "missed-call" and word not in ENDED):
        return None  # nobody is listening
    if inbound.kind == "key":
        return place.said_aloud(reply(parsed.address, parsed.message, word), parsed, now)
    if word != "reply-unblocked":  # START is the carriers' word in every language
        speak_their_language(parsed.address, inbound.text)
    queue(parsed, word, facts, now)
    return None


def _coded(parsed: ParsedInbound) -> Address | None:
    """Whose code this text is, of all who have the number."""
    if parsed.inbound.kind != "text":
        return None
    text = parsed.inbound.text
    return next((a for a in parsed.known if address_proof.says_code(a, text)), None)


def _to_a_newcomer(parsed: ParsedInbound, word: str) -> str:
    """The first text says what answers cost, and where somebody on shift would come, asks where."""
    shift = parsed.person.volunteers
    if word in ("reply-alone", "reply-marked", "reply-started"):
        return "reply-welcome-shift" if shift else "reply-welcome"
    return "reply-helping-shift" if shift and word == "reply-helping" else word


def stranger_says(inbound: Inbound, now: int) -> None:
    """STOP and START count from any number, also from one that is on no list. A cry for help comes
    here only from a number that we never reach; anybody else who writes hears once what this is."""
    if opts_in(inbound):
        silenced = suppression.refuses([(inbound.channel, inbound.sender)])
        opt_out.allow(inbound.channel, inbound.sender, now)
        if not silenced:  # who said STOP is not written to because somebody forged the START
            unknown_numbers.answer(inbound, now, cries=False)
    elif inbound.kind == "text" and contacts_intent(inbound, watching=False) is Intent.OPT_OUT:
        opt_out.refuse(inbound.channel, inbound.sender, Suppression.Why.STOP, now)
    elif inbound.kind == "text" and inbound.text.strip():
        cries = persons_intent(inbound, watching=False) in HELP
        unknown_numbers.answer(inbound, now, cries=cries)


def _lets_us_text_again(parsed: ParsedInbound, now: int) -> bool:
    """Whether START gave the number back to a person, whoever had said stop."""
    if not opts_in(parsed.inbound):
        return False
    back = opt_out.allow(parsed.inbound.channel, parsed.inbound.sender, now)
    for address in parsed.known:
        if address.id in back:
            address.state = Address.State.OK
    return bool(back)
