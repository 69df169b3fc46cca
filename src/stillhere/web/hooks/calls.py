"""Calls, turn by turn: the carrier tells us what happened and asks what to say next.

Owns which key leads to which step, and the TwiML of the answer. The sentences come from
``channels/wording``; what a key does to a watch is done in the store, and is durable before the
next sentence is spoken. Only a key press counts as an answer: a child or an answering machine
presses none. The step a call is at stands in the address of its next turn, which the carrier signs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere.channels.base import GarbageError, SignatureError, Turn
from stillhere.channels.carriers import twilio, voice
from stillhere.channels.carriers.carrier import ACCOUNTS, Carrier
from stillhere.channels.wording import plain
from stillhere.content import helplines, steps
from stillhere.core.messages import Inbound
from stillhere.store.inbound import calls, inbox
from stillhere.store.inbound.alarm_choice import FROM_CALL
from stillhere.store.inbound.by_call import spoken_notes
from stillhere.store.inbound.program.coordinator_says import LOOKS, looks_by_key
from stillhere.store.inbound.reply import Reply
from stillhere.store.recordings import notes, strangers
from stillhere.store.watches.apply import SwapMissed
from stillhere.web.access.fields import whole
from stillhere.web.hooks import list_by_call, notes_by_call
from stillhere.web.hooks.call_turns import (
    LISTENS_S,
    CallStep,
    NextTurn,
    call_lang,
    in_their_voice,
    line,
    line_number,
    listen,
    say,
    sound_of,
)
from stillhere.web.site import links

log = logging.getLogger("stillhere.calls")

STEP_S = 20
SAYS_S = 30  # for where they are
TONE_S = 25  # between two soft tones on a line on which somebody stays
NEVER = 8  # "never again", to any call of ours
MINUTES = {**{str(n): n for n in range(1, 6)}, "9": 10}


@csrf_exempt
@require_POST
def call(request: HttpRequest, name: str) -> HttpResponse:
    """One turn of a call."""
    try:
        carrier, step = _step(request, name)
        lang = calls.language_of(step.number, step.message) or settings.LANGUAGE_CODE
        with translation.override(settings.SPOKEN.of(lang).code):
            then = take(step)
    except SignatureError:
        return HttpResponse(
            "Wrong signature.", status=403, content_type="text/plain; charset=utf-8"
        )
    except GarbageError:
        return HttpResponse(
            "This makes no sense.", status=400, content_type="text/plain; charset=utf-8"
        )
    except (Error, SwapMissed) as failure:
        log.warning("not stored: %s", type(failure).__name__)
        return HttpResponse("Tell us again.", status=503, headers={"Retry-After": "1"})
    here = links.full("hooks:call", carrier.name)
    where = {"at": then.at, "n": step.turn + 1} | ({"m": then.message} if then.message else {})
    tone = f"{settings.STILLHERE.base_url}{settings.STATIC_URL}tone.wav"
    spoken = settings.SPOKEN.of(then.turn.lang)
    speaks = spoken.machine_voice if carrier.kind == "sip" else spoken.call_voice
    twiml = voice.twiml(then.turn, f"{here}?{urlencode(where)}", tone, speaks)
    return HttpResponse(twiml, content_type="text/xml; charset=utf-8")


@require_safe
def said(request: HttpRequest, name: str, key: str) -> HttpResponse:
    """What somebody said in a call, for a call to somebody who may hear it."""
    sound = strangers.sound(key) or notes.sound(key)
    if sound is None:
        raise Http404
    return HttpResponse(sound, content_type="audio/mpeg", headers={"Cache-Control": "no-store"})


@csrf_exempt
@require_POST
def ended(request: HttpRequest, name: str) -> HttpResponse:
    """A call to us is over: on a line on which somebody was staying, that is silence."""
    try:
        _, step = _step(request, name)
        calls.broke_off(step.told.ref, step.number)
    except SignatureError:
        return HttpResponse(
            "Wrong signature.", status=403, content_type="text/plain; charset=utf-8"
        )
    except GarbageError:
        return HttpResponse(
            "This makes no sense.", status=400, content_type="text/plain; charset=utf-8"
        )
    except (Error, SwapMissed):
        return HttpResponse("Tell us again.", status=503, headers={"Retry-After": "1"})
    return HttpResponse(status=204)


def _step(request: HttpRequest, name: str) -> tuple[Carrier, CallStep]:
    """The carrier and what it reports. Raises ``SignatureError``, ``GarbageError``, ``Http404``."""
    carrier = next((c for c in settings.STILLHERE.carriers if c.name == name), None)
    if carrier is None or carrier.kind not in ACCOUNTS:
        raise Http404
    url = f"{settings.STILLHERE.base_url}{request.get_full_path()}"
    headers = {key.lower(): value for key, value in request.headers.items()}
    fields = twilio.verify(carrier, url, headers, request.body, settings.WALL_MS())
    at = request.GET.get("at", "")
    told = voice.call_of(carrier, fields, settings.STILLHERE.country, first=not at)
    turn, message = (whole(request.GET.get(key, ""), 18) for key in ("n", "m"))
    return carrier, CallStep(told, at, turn or 0, message, carrier)


# --- where a key leads ----------------------------------------------------------------------------


def take(step: CallStep) -> NextTurn:
    """What one step does and says. Whatever it did is durable when this returns."""
    at, _, _ = step.at.partition(".")
    if not step.number:
        return _withheld(step)
    return _STEPS.get(at, _first)(step)


def _first(step: CallStep) -> NextTurn:
    if step.message is not None:
        found = calls.picked_up(step.message)
    else:
        found = calls.rings_us(step.told.ref, step.number)
    if found.reject:
        return NextTurn(Turn(reject=True))
    if found.at == "unknown":
        return _offer(step, found)
    return _opens(step, found)


def _opens(step: CallStep, found: calls.Opening) -> NextTurn:
    """What a call begins with."""
    said = say(found.word, found.reply, lang=found.lang)
    if not found.at:
        return NextTurn(in_their_voice(step, said, found.reply) if found.reply else said)
    twice = replace(said, say=(*said.say, *said.say))  # whoever was asleep hears the second one
    if found.refusable:
        no = say("call-not-me", found.reply)
        twice = replace(twice, say=(*twice.say, *no.say))
    if found.at in ("menu", "watch"):
        twice = replace(twice, say=(*twice.say, *notes_by_call.offer(step).say))
    return listen(_with_recording(step, twice, found.message), found.at, message=found.message)


def _offer(step: CallStep, found: calls.Opening) -> NextTurn:
    """A watch for whoever rings from a number that keeps none; who is on somebody's list hears
    first that nothing is open there."""
    word = "call-unknown-shift" if step.shift else found.word
    if not settings.MAY_REACH(step.number):
        word = "call-abroad"
    over = say(found.reply.word, found.reply) if found.reply is not None else None
    said = say(word, lang=over.lang if over else "", who=line())
    return listen(replace(said, say=(*over.say, *said.say)) if over else said, "unknown")


def _with_recording(step: CallStep, said: Turn, message: int | None) -> Turn:
    """What a stranger said about where they are, after the words, for people on shift."""
    key = strangers.key_for(message) if message is not None else ""
    return replace(said, say=(*said.say, sound_of(step, key))) if key else said


def _how_soon(step: CallStep, reply: Reply) -> Turn:
    """Whoever is going is asked how soon, and hears where."""
    return in_their_voice(step, say("call-soon", reply), reply)


def _answer(step: CallStep) -> NextTurn:
    """A key pressed in an ask or an alarm."""
    if not step.told.key:
        return NextTurn(say("call-no-key"))
    reply = _key(step)
    if reply is None:
        return NextTurn(Turn())
    if reply.word == "reply-going":
        return listen(_how_soon(step, reply), "soon", message=step.message)
    if reply.word == "call-never-sure":
        return listen(say(reply.word, reply), "never", message=step.message)
    if reply.word in ("reply-steps", "reply-there"):
        dying = calls.dying(step.message or 0)
        first = _how_to_stay(step, reply) if dying else _first_step(step, reply.lang)
        there = say(reply.word, reply).say if reply.word == "reply-there" else ()
        return replace(first, turn=replace(first.turn, say=(*there, *first.turn.say)))
    said = say(reply.word, reply)
    if not reply.more:
        return notes_by_call.after_cry(step, reply.word, said)
    return listen(_with_recording(step, said, step.message), "answer", message=step.message)


def _page(step: CallStep) -> NextTurn:
    """A key pressed by somebody on call."""
    if step.told.key == "3":
        return _first(step)
    if step.told.key != LOOKS:
        return _asked_back(step)
    reply = looks_by_key(step.message or 0)
    return NextTurn(say(reply.word if reply is not None else "call-no-key", reply))


def _choose(step: CallStep) -> NextTurn:
    """A key pressed where the list was read: which alarm, and then as for one alone."""
    parts = step.at.split(".")[1:]
    numbers = [each for each in parts if not each.startswith(calls.NEXT_PART)]
    if step.told.key == "0" and len(parts) > len(numbers):
        part = whole(parts[-1][1:], 4) or 0
        return _opens(step, calls.picked_up(step.message or 0, part))
    key = whole(step.told.key, 1) or 0
    if not 1 <= key <= len(numbers):
        return _answer(step) if key == NEVER else NextTurn(say("call-no-key"))
    reply = _key(step, numbers[key - 1], at=FROM_CALL)
    if reply is None or reply.word != "reply-going":
        return NextTurn(say(reply.word, reply)) if reply is not None else NextTurn(Turn())
    chosen = reply.message or step.message
    asked = _with_recording(step, _how_soon(step, reply), chosen)
    return listen(asked, "soon", message=chosen)


def _key(step: CallStep, key: str = "", minutes: int | None = None, at: str = "") -> Reply | None:
    return inbox.take(
        Inbound(
            "call",
            step.key_id,
            "key",
            sender=step.number,
            text=key or step.told.key,
            reply_ref=str(step.message or ""),
            minutes=minutes,
            at=at,
            rang_us=not step.told.outbound,
        )
    )


def _never(step: CallStep) -> NextTurn:
    """ "Never again", pressed once and asked back. Another key is an answer like any other."""
    if step.told.key != "8":
        return _answer(step)
    reply = _key(step, "88")
    return NextTurn(say(reply.word, reply)) if reply is not None else NextTurn(Turn())


def _soon(step: CallStep) -> NextTurn:
    """How soon whoever is going will be there. Without a key the usual five minutes apply."""
    minutes = MINUTES.get(step.told.key)
    if minutes is None and step.told.key:
        again = calls.where_again(step.message or 0) if step.told.outbound else None
        said = _how_soon(step, again) if again is not None else say("call-soon")
        return listen(said, "soon", message=step.message)
    reply = _key(step, "1", minutes) if minutes is not None else None
    if reply is None:
        return NextTurn(Turn())
    return NextTurn(in_their_voice(step, say("reply-going", reply), reply))


def _place(step: CallStep) -> NextTurn:
    """Whoever rang us and goes hears where, in this call of ours, by a key."""
    again = calls.where_again(step.message or 0) if step.told.outbound and step.told.key else None
    if again is None:
        return NextTurn(say("call-no-key"))
    return NextTurn(in_their_voice(step, say("call-place", again), again))


def _how_to_stay(step: CallStep, reply: Reply) -> NextTurn:
    """What comes before the steps where somebody says they want to die."""
    line = plain.digit_by_digit(helplines.listening())
    return listen(say("reply-stay", reply, says=line), "beside", STEP_S, message=step.message)


def _beside(step: CallStep) -> NextTurn:
    """After that: 5 begins the steps, 3 repeats, and so does silence."""
    found = calls.picked_up(step.message or 0)
    if step.told.key == "5" and found.reply is not None:
        return _first_step(step, found.reply.lang)
    if step.told.key not in ("", "3"):
        return _answer(step)
    if found.at != "answer" or found.reply is None:
        return NextTurn(say(found.word, found.reply))
    return _how_to_stay(step, found.reply)


def _first_step(step: CallStep, lang: str) -> NextTurn:
    return _steps(replace(step, at=f"steps.0.{lang}", told=replace(step.told, key="")))


def _steps(step: CallStep) -> NextTurn:
    """The first steps, one at a time: any key continues, 3 repeats, and so does silence."""
    _, at, lang = [*step.at.split("."), "", ""][:3]
    no = (whole(at, 18) or 0) + (step.told.key not in ("", "3"))
    with translation.override(settings.SPOKEN.of(lang).code):
        all_ = steps.spoken()
    no = min(no, len(all_) - 1)
    said = Turn(say=all_[no], lang=lang)
    return listen(said, f"steps.{no}.{lang}", STEP_S, message=step.message)


def _menu(step: CallStep) -> NextTurn:
    if step.told.key == "3":
        return list_by_call.hear(step)
    if step.told.key == "4":
        return notes_by_call.ask(step)
    if step.told.key in ("1", "2"):
        return _begin(step)
    return _asked_back(step)


def _asked_back(step: CallStep) -> NextTurn:
    """A key that was not offered is answered with what is; silence ends the call."""
    if not step.told.key or step.turn > list_by_call.MOST_TURNS:
        return NextTurn(say("call-no-key"))
    return _first(step)


def _unknown(step: CallStep) -> NextTurn:
    if step.told.key == "3" and line():
        if step.carrier.kind == "sip":  # our own line joins no two calls: it says the number
            return listen(say("call-line", who=line()), "unknown")
        return NextTurn(replace(say("call-connecting"), connect=line_number()))
    wanted = step.told.key in ("1", "2") and settings.MAY_REACH(step.number)
    if wanted:
        return _begin(step)
    return _asked_back(step) if step.told.key else NextTurn(Turn())


def _withheld(step: CallStep) -> NextTurn:
    """A caller without a number cannot be rung back, and could be anybody: no watch begins, and
    they are not taken for anyone. All they get is a person to talk to."""
    if step.told.key == "3" and line():
        return _unknown(step)
    if step.at and (not step.told.key or step.turn > list_by_call.MOST_TURNS):
        return NextTurn(Turn())
    return listen(say("call-withheld", who=line()), "unknown")


def _begin(step: CallStep) -> NextTurn:
    """A watch starts, before anything else is said: whoever is told about it must be told where."""
    if calls.begins(step.number, call_lang(), shift=step.shift):
        return NextTurn(replace(say("call-where"), record_s=SAYS_S), f"said.{step.told.key}")
    return _begun(step, step.told.key)


def _begun(step: CallStep, key: str) -> NextTurn:
    if key == "2":
        return _staying(step, say("call-stay"))
    word, facts = calls.started(step.number)
    return NextTurn(say(word, **facts))


def _said(step: CallStep) -> NextTurn:
    """They said where they are, or nothing; the watch has begun either way."""
    if step.told.recording:
        calls.said_where(step.number, step.carrier.name, step.told.recording)
    return _begun(step, step.at.partition(".")[2])


def _watch(step: CallStep) -> NextTurn:
    """Somebody on watch rang us, and we picked up."""
    if step.told.key == "2":
        return _staying(step, say("call-stay"))
    if step.told.key == "9":
        word = calls.needs_help(step.number)
        return notes_by_call.after_cry(step, word, say(word))
    if not step.told.key:
        return NextTurn(say("call-no-key"))
    if step.told.key == "4" and spoken_notes.in_alarm(step.number):  # ends nothing
        return notes_by_call.ask(step)
    reply = _key(step)
    if step.told.key == "4":
        return notes_by_call.ask(step)
    if step.told.key == "3":
        return list_by_call.hear(step)
    return NextTurn(say(reply.word, reply)) if reply is not None else NextTurn(Turn())


def _staying(step: CallStep, said: Turn) -> NextTurn:
    """Somebody stays on the line: a soft tone, then they have their turn."""
    if not calls.stays(step.told.ref, step.number, step.turn):
        return NextTurn(say("reply-not-on"))
    return NextTurn(replace(said, tone=True, listen_s=TONE_S, voice=True), "stay")


def _stay(step: CallStep) -> NextTurn:
    if step.told.key == "9":
        return _staying(step, say(calls.needs_help(step.number)))
    if step.told.key or step.told.spoke:
        return _staying(step, Turn(lang=call_lang()))
    return NextTurn(replace(say("call-stay-asks"), listen_s=LISTENS_S, voice=True), "asks")


def _asks(step: CallStep) -> NextTurn:
    if step.told.key or step.told.spoke:
        return _stay(step)
    calls.went_silent(step.number)
    calls.hung_up_well(step.told.ref)
    return NextTurn(say("call-stay-over"))


_STEPS: Mapping[str, Callable[[CallStep], NextTurn]] = {
    "answer": _answer,
    "choose": _choose,
    "page": _page,
    "soon": _soon,
    "place": _place,
    "never": _never,
    "beside": _beside,
    "steps": _steps,
    "menu": _menu,
    "unknown": _unknown,
    "said": _said,
    "watch": _watch,
    "stay": _stay,
    "asks": _asks,
    **list_by_call.STEPS,
    **notes_by_call.STEPS,
}
