"""What we ask the person, and what we say back to somebody who wrote or pressed a key.

Owns these sentences. To the person they never say what it is: nobody who looks over a shoulder
learns more than "Still here?".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import (
    answers,
    chats,
    contact_replies,
    first_words,
    list_replies,
    own_voice,
    plain,
)
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts


def _ask(facts: Facts) -> Sentence:
    away = _("We were away for a while.") + " " if facts.after_outage else ""
    return away + _still_here(facts), answers.STILL_HERE


def _still_here(facts: Facts) -> str:
    """By name, so that nobody answers for somebody else; of two, both are asked."""
    one, other = plain.name(facts.person), plain.name(facts.partner)
    if one and other:
        return _("%(one)s and %(other)s: both still here?") % {"one": one, "other": other}
    if other:
        return _("You and %(other)s: both still here?") % {"other": other}
    return _("%(name)s: still here?") % {"name": one} if one else _("Still here?")


# --- to the person --------------------------------------------------------------------------------


def _got_it(facts: Facts) -> Sentence:
    return _("Got it."), answers.NOTHING


def _glad(facts: Facts) -> Sentence:
    return _("Glad you're here. Those we called hear it. We ask again in a minute."), (
        answers.NOTHING
    )


def _once(facts: Facts) -> Sentence:
    return _("We heard you once. Reply OK again when we ask: until then people keep coming."), (
        answers.NOTHING
    )


def _started(facts: Facts) -> Sentence:
    return _(
        "It's on. We ask soon: reply OK each time. MORE adds time, DONE ends it."
    ), answers.NOTHING


def _alone(facts: Facts) -> Sentence:
    return _(
        "It's on, but nobody on your list can be reached: nobody would be told."
    ), answers.NOTHING


def _marked(facts: Facts) -> Sentence:
    return _("Noted. We ask soon: reply OK each time."), answers.NOTHING


def _more(facts: Facts) -> Sentence:
    return _("More time. We keep asking."), answers.NOTHING


def _ended(facts: Facts) -> Sentence:
    return _("It ended. Nobody is watching now. GO starts again."), answers.NOTHING


def _ended_daily(facts: Facts) -> Sentence:
    return _("It ended. What is asked every day goes on. GO starts again."), answers.NOTHING


def _not_on(facts: Facts) -> Sentence:
    return _("Nobody is watching now. Reply GO to start."), answers.NOTHING


def _only_daily(facts: Facts) -> Sentence:
    return _("Only what is asked every day is on. Reply GO to start a watch."), answers.NOTHING


def _helping(facts: Facts) -> Sentence:
    return _("We are reaching the people on your list now."), answers.NOTHING


def _coming(facts: Facts) -> Sentence:
    return _("Somebody is on the way to you."), answers.NOTHING


def _fault(facts: Facts) -> Sentence:
    text = _("Something is wrong on our side and nothing is counted. Call somebody.")
    return text, answers.NOTHING


def _prove(facts: Facts) -> Sentence:
    """To a number that somebody typed and that may be anybody's: what to do, and that doing nothing
    is fine."""
    if facts.code:
        text = _("Your Lamp code: %(code)s.") % {"code": facts.code}
    else:
        text = _("This is Lamp. Somebody typed this number so that we can reach them.")
    return text + " " + _("Did not ask for it? Do nothing."), answers.PROVE


def _page_code(facts: Facts) -> Sentence:
    """To a contact whose link is open on a phone that we do not know; it may not be theirs."""
    text = _("Your Lamp code: %(code)s.") % {"code": facts.code} + " " if facts.code else ""
    text += _("Type the newest code on the page you have open.")
    return text + " " + _("Did not ask for it? Tell it to nobody."), answers.NOTHING


def _proved(facts: Facts) -> Sentence:
    return _("Thank you. Now we know that this number is yours."), answers.NOTHING


def _named(facts: Facts) -> Sentence:
    return fill(
        facts, _("Kept. Your people read: %(person)s. Now text ADDRESS and where you are.")
    ), (answers.NOTHING)


def _kept(facts: Facts) -> Sentence:
    text = _("Kept. Only who is on the way hears it, in an emergency.")
    return text + " " + _("Now delete this text from your phone."), answers.NOTHING


def _note_how(facts: Facts) -> Sentence:
    text = _("Reply NAME and your name, ADDRESS and where you are, or DOOR and how to get in.")
    return text, answers.NOTHING


def _paused(facts: Facts) -> Sentence:
    return _("We rest that long, then ask again as usual."), answers.NOTHING


def _no_routine(facts: Facts) -> Sentence:
    return _("There is no daily question to rest. DONE ends what is on."), answers.NOTHING


def _delete(facts: Facts) -> Sentence:
    text = _("Reply DELETE %(code)s and all about you is erased.") % {"code": facts.code}
    return " ".join([*text.split(), _("You will hear no more.")]), answers.NOTHING


def _delete_later(facts: Facts) -> Sentence:
    return _("Not while people are being reached. Answer them first, then DELETE."), answers.NOTHING


def _pin(facts: Facts) -> Sentence:
    return _("You set a PIN, so this is done on your page."), answers.NOTHING


def _unblocked(facts: Facts) -> Sentence:
    return _("We can text you again. GO starts."), answers.NOTHING


def _news(facts: Facts) -> Sentence:
    return _("There is news that may matter to you. See our page."), answers.NOTHING


def _kit_soon(facts: Facts) -> Sentence:
    text = _("What you carry for an emergency runs out soon. Our page says how to get more.")
    return text, answers.NOTHING


def _kit_used(facts: Facts) -> Sentence:
    text = _("What you carry for an emergency is empty now. Our page says how to get more.")
    return text, answers.NOTHING


def _who_person(facts: Facts) -> Sentence:
    return _("This is Lamp. GO starts, OK says you are here, DONE ends."), answers.NOTHING


def _gap(facts: Facts) -> Sentence:
    text = fill(
        facts, _("%(Who)s cannot be reached any more. Who else could come? ADD and a number.")
    )
    return text, answers.NOTHING


def _way_gone(facts: Facts) -> Sentence:
    text = _("One way to reach you does not work any more. Open your list and type it again.")
    return text, answers.NOTHING


def _new_browser(facts: Facts) -> Sentence:
    text = _("Your page was opened on another phone or browser. Not you? Remove it in My data.")
    return text, answers.NOTHING


def _put_out(facts: Facts) -> Sentence:
    text = _(
        "A newer phone asks to remove yours. It goes in a day. Not you? Open your page and keep it."
    )
    return text, answers.NOTHING


def _removed(facts: Facts) -> Sentence:
    text = _("A phone was removed from your page, or your link changed. Not you? Look in My data.")
    return text + " " + _("If your page does not open, start a new one."), answers.NOTHING


def _pin_off(facts: Facts) -> Sentence:
    text = _("Somebody says your PIN is forgotten. It goes in a day. To keep it, type it.")
    return text, answers.NOTHING


def _idle(facts: Facts) -> Sentence:
    text = _("You have not been here for long. In a month we erase all about you.")
    return text + " " + _("To keep it, open your page or reply OK."), answers.NOTHING


def _way_stopped(facts: Facts) -> Sentence:
    text = _("Your phone texted us STOP, so we no longer text or ring it. START takes it back.")
    return text, answers.NOTHING


# --- to a contact ---------------------------------------------------------------------------------


def _unclear(facts: Facts) -> Sentence:
    return fill(facts, _("We could not read your answer about %(person)s.")), answers.GOING


def _unclear_going(facts: Facts) -> Sentence:
    """To somebody who is going already: what comes next for them."""
    return fill(facts, _("We could not read your answer about %(person)s.")), answers.LATER


def _going(facts: Facts) -> Sentence:
    """In a call also where, once more."""
    text = fill(facts, _("Thank you. The others hear that you are going to %(person)s."))
    return f"{text} {contact_replies.where(facts)}".strip(), answers.LATER


def _far(facts: Facts) -> Sentence:
    text = fill(facts, _("Thank you. Phone %(person)s now. We go on looking for somebody near."))
    return f"{text} {contact_replies.from_afar(facts)}", answers.NOTHING


def _cannot(facts: Facts) -> Sentence:
    return _("All right. We ask the others."), answers.NOTHING


def _there(facts: Facts) -> Sentence:
    there = _("Good that you are there.")
    return (f"{there} {facts.says}", answers.STEPS) if facts.says else (there, answers.NOTHING)


def _called_on(facts: Facts) -> Sentence:
    text = _(
        "The others hear it. You ended an alarm before, and %(person)s has not answered since: "
        "we go on calling."
    )
    return fill(facts, text), answers.NOTHING


def _locked(facts: Facts) -> Sentence:
    text = _("The others hear that the door is shut. Emergency services can open it.")
    return text, answers.NOTHING


def _steps(facts: Facts) -> Sentence:
    if facts.says:
        return facts.says, answers.STEPS
    return _("Call an ambulance, and stay with them until it comes."), answers.NOTHING


def _over(facts: Facts) -> Sentence:
    return fill(
        facts, _("There is no open alarm about %(person)s now. Thank you.")
    ), answers.NOTHING


def _not_on_it(facts: Facts) -> Sentence:
    text = _("You are not part of this alarm. If you can, phone %(person)s.")
    return fill(facts, text), answers.NOTHING


def _who(facts: Facts) -> Sentence:
    text = fill(
        facts, _("This is Lamp. %(Person)s chose you to be reached when they do not answer.")
    )
    return text + " " + _("STOP ends it."), answers.NOTHING


def _drilled(facts: Facts) -> Sentence:
    return fill(
        facts, _("Thank you. %(Person)s sees that you answered the drill.")
    ), answers.NOTHING


def _rang(facts: Facts) -> Sentence:
    return _("Good: it rang."), answers.NOTHING


def _joined(facts: Facts) -> Sentence:
    text = fill(facts, _("Thank you. You are on the list of %(person)s."))
    return text + " " + _("Save this number, so that it can wake you."), answers.NOTHING


def _left(facts: Facts) -> Sentence:
    return _("All right. We will not reach you again."), answers.NOTHING


TO_THE_PERSON: Mapping[str, Callable[[Facts], Sentence]] = {
    **first_words.SENTENCES,
    **chats.TO_THE_PERSON,
    **list_replies.SENTENCES,
    **own_voice.TO_THE_PERSON,
    "ask": _ask,
    "ask-ring": _ask,
    "reply-got-it": _got_it,
    "reply-glad": _glad,
    "reply-once": _once,
    "reply-started": _started,
    "reply-alone": _alone,
    "reply-marked": _marked,
    "reply-more": _more,
    "reply-ended": _ended,
    "reply-ended-daily": _ended_daily,
    "reply-only-daily": _only_daily,
    "reply-not-on": _not_on,
    "reply-helping": _helping,
    "reply-coming": _coming,
    "reply-fault": _fault,
    "reply-named": _named,
    "reply-kept": _kept,
    "reply-note-how": _note_how,
    "reply-paused": _paused,
    "reply-no-routine": _no_routine,
    "reply-delete": _delete,
    "reply-delete-later": _delete_later,
    "reply-pin": _pin,
    "reply-unblocked": _unblocked,
    "reply-who-person": _who_person,
    "prove": _prove,
    "page-code": _page_code,
    "reply-proved": _proved,
    "gap": _gap,
    "way-gone": _way_gone,
    "new-browser": _new_browser,
    "pin-off": _pin_off,
    "put-out": _put_out,
    "removed": _removed,
    "idle": _idle,
    "way-stopped": _way_stopped,
    "news": _news,
    "kit-soon": _kit_soon,
    "kit-used": _kit_used,
}
SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    **TO_THE_PERSON,
    **contact_replies.SENTENCES,
    **chats.SENTENCES,
    "reply-unclear": _unclear,
    "reply-unclear-go": _unclear_going,
    "reply-going": _going,
    "reply-far": _far,
    "reply-cannot": _cannot,
    "reply-there": _there,
    "reply-called-on": _called_on,
    "reply-locked": _locked,
    "reply-steps": _steps,
    "reply-over": _over,
    "reply-not-on-it": _not_on_it,
    "reply-who": _who,
    "reply-drill": _drilled,
    "reply-rang": _rang,
    "reply-joined": _joined,
    "reply-left": _left,
}
