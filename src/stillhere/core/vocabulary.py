"""What people say in a text, as tables: English and Spanish together.

Owns the vocabulary of ``replies.py`` and nothing else: no function here reads a message. Everything
is written folded: lower case, no accents, no apostrophes, "i am" as "im", any word for minutes as
"min". In a phrase "#" is a number of up to three digits.

Carriers act on STOP, END, QUIT, CANCEL, START, YES, UNSTOP and HELP before we hear them, so none of
them is a command of ours. Sources:
- https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out.md
- https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out/index
- https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Who is speaking: the person who keeps the watch, or a contact who was told about it."""

    PERSON = "person"
    CONTACT = "contact"


class Intent(StrEnum):
    """What somebody means. ``UNCLEAR`` and ``EMPTY`` are never a check-in, a claim or an answer."""

    GO = "go"  # start a watch
    GO_LONG = "go-long"  # start a long one
    MARK = "mark"  # from here the profile's asks count
    HERE = "here"  # a check-in
    MORE = "more"
    HELP = "help"  # now; from a contact: they need help with what they see
    DONE = "done"
    LIST = "list"
    ADD = "add"
    PAUSE = "pause"
    DELETE = "delete"
    CLAIM = "claim"  # "I'm going"; to an invitation: "I will"
    DECLINE = "decline"
    FAR = "far"  # "I'm far, I'll phone": holds nothing
    ARRIVED = "arrived"
    CANT_GET_IN = "cant-get-in"
    REPEAT = "repeat"
    STEPS = "steps"
    WHO = "who"  # "who is this?"
    OPT_OUT = "opt-out"
    CARRIER_HELP = "carrier-help"  # the carrier answers this itself
    UNCLEAR = "unclear"
    EMPTY = "empty"  # nothing to read: a picture, white space


Phrase = tuple[str, ...]
Table = Mapping[Phrase, Intent | None]  # None is filler: it may stand beside a meaning


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[Phrase]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(",") if phrase.strip())


def _table(says: dict[Intent | None, str]) -> Table:
    return {phrase: intent for intent, text in says.items() for phrase in _phrases(text)}


# --- the whole text, politeness aside -------------------------------------------------------------

POLITE = frozenset(["please", "pls", "thanks", "thx", "gracias"])

OPT_OUT = _phrases("""
    stop, stopall, stop all, unsubscribe, cancel, end, quit, revoke, optout, opt out, arret, td,
    remove, stop texting, stop texting me, stop messaging me, stop messages, dont text me,
    dont call me, remove me, unsubscribe me, wrong number,
    alto, parar, baja, cancelar, darme de baja, numero equivocado, no me escribas, no me escriban,
    no me llames, no mas mensajes, deja de escribirme, dejen de escribirme""")

CARRIER_HELP = _phrases("help, info, ayuda")

# Beside other words ("im ok now") these are filler; alone they are the mark.
MARK_ALONE = _phrases("now, ahora")

# --- anywhere in the text -------------------------------------------------------------------------

# Only while watching: elsewhere somebody asks about it.
HELP_WHILE_WATCHING = _phrases("help, ayuda")
HELP_ANYWHERE = _phrases("""
    help me, need help, send help, please help, help please, sos, s o s, 911, call 112, call 999,
    ambulance, paramedic, paramedics, emergency, save me, cant breathe, cant breath, not breathing,
    isnt breathing, stopped breathing, wont wake up, unconscious, im dying, overdose, overdosed,
    overdosing, od, oding, passing out, gonna pass out, going to pass out, blacking out, seizure,
    chest pain, kill myself, killing myself, want to die, wanna die, suicide, suicidal, 🆘, 🚑,
    not ok, not okay, not good, not fine, not well, not alright, not safe, not doing ok,
    not doing good, not doing well, not feeling ok, not feeling good, not feeling well,
    dont feel ok, dont feel good, dont feel well, dont feel right,
    ayudame, no ayudame, ayudeme, ayudenme, necesito ayuda, auxilio, socorro, ambulancia,
    emergencia, llama al 112, salvame, no puedo respirar, no respira, no respiro, no despierta,
    inconsciente, me muero, me estoy muriendo, sobredosis, me desmayo, me voy a desmayar,
    dolor de pecho, suicidio, quiero morir, quiero morirme, matarme, suicidarme, no estoy bien,
    no me siento bien, no ando bien, estoy mal, me siento mal""")

# Waved off, with nothing but linking words between: "dont call an ambulance", "who called 911".
WAVES_OFF = _words("""
    no not dont doesnt didnt isnt wasnt never without did who thanksfor
    nunca sin quien vos graciaspor""")
WAVES_OFF_ONE_WORD = frozenset(["no", "sin"])  # "no ambulance", but not "no help me"
WAVES_OFF_NEXT = frozenset(["cant", "couldnt"])  # "i cant help", but not "i cant call 911"
LINKING = _words("""
    call called calling need needs want send any an a the my your you u i think that for all to me
    necesito necesita llames llamen llame llamo llamar quiero al la el una un por tu su""")

# From a contact. The alarm stays open, so hearing it once too often is the safe mistake.
CANT_GET_IN = _phrases("""
    cant get in, cant get inside, couldnt get in, cant enter, cant open, door locked,
    door is locked, locked, no key, nobody opens, no one opens,
    no puedo entrar, no podemos entrar, no me abren, nadie abre, esta cerrado, esta cerrada,
    cerrado con llave, sin llave""")
NOT_THE_DOOR = frozenset(["touch", "contact"])  # "cant get in touch"

# --- every word of the text -----------------------------------------------------------------------

_ANYONE = """
    im, yes, and, y, just, now, ahora, ya, thanks, thx, ty, gracias, please, pls, hi, hey, hello,
    hola, sorry, perdon, mom, mum, mama, dad, papa, bro, man, dude, lol, haha, jaja, x, xx, xoxo,
    🙏, ❤, ♥, 🧡, 💛, 💚, 💙, 💜, 💕, 💖, 👋, 💪, ✌, ✨, ♀, ♂, 😀, 😁, 😃, 😄, 😅, 😆, 😉,
    😊, 😇, 😎, 😘, 🙂, 🙃, ☺, 🤗, 🥰"""

_DELETE = """
    delete, delete me, delete my data, delete my info, delete my account, delete all,
    delete everything, erase me, erase my data, erase everything,
    borrar, borrame, borra todo, borrar todo, borra mis datos, borrar mis datos, eliminar,
    eliminame, elimina mis datos"""

_WHO = """
    who is this, whos this, who are you, who r u, whos that, who dis, what is this, whats this,
    quien es, quien eres, quien sos, quien habla, que es esto, de quien es este numero"""

PERSON = _table({
    None: _ANYONE + ", still, all, doing, feeling, really, very, estoy, sigo, ando, todo, muy",
    Intent.HERE: """
        ok, o k, okay, okay dokie, k, kk, 1, here, right here, in here, in ok, in fine, in good,
        fine, good, great, alive, alright, all right, safe, awake, im up, still up, breathing,
        present, yep, yeah, yup, yea, checking in, check in, checkin, imok, imokay, imhere,
        imfine, imgood, stillhere, allgood, okok,
        bien, vale, aqui, aca, vivo, viva, si, sip, presente, despierto, despierta, respirando,
        a salvo, estoybien, todobien, esta bien, 👍, 👌, ✅, ✔, ☑, 🆗, 🙋""",
    Intent.GO: """
        go, go now, start watch, start a watch, start my watch, watch me, watch over me, about to,
        again, empezar, empieza, empiezo, iniciar, inicia, cuidame, otra vez, de nuevo""",
    Intent.GO_LONG: "go long, golong, go longer, long, go largo, largo, empieza largo",
    Intent.MARK: """
        mark, marked, i used, used, ive used, i did it, did it, just did, took it, i took it,
        marca, marcar, ya use, recien use, lo hice""",
    Intent.MORE: """
        more, more time, extend, longer, need more time, i need more time, give me more time,
        add time, add more time, # more, # more min, # min more, add # min,
        mas, mas tiempo, necesito mas tiempo, dame mas tiempo, # min mas, # mas""",
    Intent.HELP: "9, 112, 999, urgent, urgente",
    Intent.DONE: "done, all done, finished, all finished, termine, terminar, terminado, acabe",
    Intent.LIST: """
        list, my list, show list, contacts, my contacts, who is on my list, whos on my list,
        who will you call, lista, mi lista, contactos, mis contactos, quien esta en mi lista""",
    Intent.DELETE: _DELETE,
    Intent.WHO: _WHO,
    # The end of a watch, or the end of hope: we do not guess.
    Intent.UNCLEAR: "im done, im finished, im all done",
})  # fmt: skip

CONTACT = _table({
    None: _ANYONE + """,
        ok, okay, yeah, si, estoy, but, pero, right now, rn, asap, about, lo siento,
        # min, in # min, in #, en # min, en #""",
    Intent.CLAIM: """
        1, going, coming, omw, otw, onmyway, on my way, on the way, en route, heading over,
        heading there, headed over, headed there, ill go, i go, i can go, ill be there,
        be right there, leaving now, be there in # min, be there in #, ill be there in # min,
        ill be there in #, there in # min, # min away, join, agree, i agree, accept, i accept,
        voy, yo voy, voy para alla, voy en camino, boy en camino, en camino, ahi voy, alla voy,
        estoy a # min, acepto""",
    Intent.DECLINE: """
        2, no, nope, cant, i cant, cant go, cant come, i cant go, i cant come, cant help,
        i cant help, cant make it, i cant make it, unable, not able, not going, wont, i wont,
        decline, no puedo, no puedo ir, yo no puedo, no voy, no podre, imposible""",
    Intent.FAR: """
        far, far away, too far, out of town, out of state, ill phone, ill call, ill call him,
        ill call her, ill call them,
        lejos, muy lejos, llamare, yo llamo, voy a llamar, fuera de la ciudad""",
    Intent.ARRIVED: """
        arrived, i arrived, im there, made it, i made it, got here, i got here, with him, with her,
        with them, here with him, here with her, here with them,
        llegue, con el, con ella, estoy ahi, estoy alli, aqui con el, aqui con ella""",
    Intent.REPEAT: """
        3, repeat, again, say again, say it again, repite, repita, repetir, otra vez, de nuevo""",
    Intent.STEPS: """
        5, steps, the steps, what do i do, what should i do, what to do, instructions,
        pasos, los pasos, que hago, que hay que hacer, instrucciones""",
    Intent.DELETE: _DELETE,
    Intent.WHO: _WHO,
})  # fmt: skip

TABLES: Mapping[Role, Table] = {Role.PERSON: PERSON, Role.CONTACT: CONTACT}

# Commands with something after them, which the caller reads: a number, a name, a day.
COMMANDS: Mapping[str, Intent] = {
    **dict.fromkeys(["add", "agregar", "agrega", "anadir", "anade"], Intent.ADD),
    **dict.fromkeys(["pause", "pausa", "pausar"], Intent.PAUSE),
}
COMMAND_WORDS = 5
ADDS = frozenset((word,) for word, intent in COMMANDS.items() if intent is Intent.ADD)

# Words that only one language has, to answer in the one that was written.
SPANISH = _words("""
    empezar empieza empiezo iniciar inicia cuidame largo marca marcar aqui aca sigo estoy bien vale
    ayuda ayudame auxilio socorro mas termine terminar lista contactos agregar agrega anadir anade
    pausa pausar borrar borrame eliminar voy puedo llegue lejos pasos quien""")
ENGLISH = _words("""
    go start watch again mark here still okay help more done finished list contacts add pause delete
    erase going coming cant arrived far steps who""")

# A question is no answer, except where asking is the meaning.
MAY_ASK = frozenset([
    Intent.WHO,
    Intent.HELP,
    Intent.CARRIER_HELP,
    Intent.LIST,
    Intent.STEPS,
    Intent.REPEAT,
    Intent.CANT_GET_IN,
])  # fmt: skip

# --- keys of a call -------------------------------------------------------------------------------

KEYS: Mapping[Role, Mapping[str, Intent]] = {
    Role.PERSON: {**dict.fromkeys("012345678*#", Intent.HERE), "9": Intent.HELP},
    Role.CONTACT: {
        "1": Intent.CLAIM,
        "2": Intent.DECLINE,
        "3": Intent.REPEAT,
        "5": Intent.STEPS,
    },
}

# --- how people write -----------------------------------------------------------------------------

# Short words have dangerous neighbours (here: where, there, hurt), so their slips are listed.
_SLIPS = {
    "ok": "okk 0k oky oke ook olk",
    "okay": "okey okie oki okya okau oaky okat",
    "here": "hete heer herr heere hree hrre hwre ehre heree jere gere hear",
    "good": "gud gd",
    "fine": "fien",
    "estoy": "toy stoy estoi",
    "aqui": "aki aqi",
    "bien": "vien bn bein",
    "help": "hlep hepl helpp hellp hlp halp",
    "ayuda": "alluda ayudaa",
    "min": "m mins minute minutes minuto minutos",
    "your": "ur",
}
SLIPS: Mapping[str, str] = {slip: word for word, slips in _SLIPS.items() for slip in slips.split()}

# Long words may have one wrong letter, unless that makes another word people write.
FORGIVEN = _words("alive alright awake breathing still estoy going coming arrived repeat steps")
NEIGHBOURS = _words("""
    adive aleve aline alike alice clive live olive alight aright arrive arrives aware awoke awoken
    awaked awaken awakes wake woke breaching breathings coking comings comino coding combing cooing
    coping coring cowing doming homing esto estos estar estay estol boing doing ging goings gong
    goring reheat repeal repeats repent seeps steeps stems step stews stops streps shill sill skill
    spill stall stile stills stilt swill till wreathing""")

SHORTER: Mapping[str, str] = {
    "i am": "im", "i m": "im", "i have": "ive", "i will": "ill", "i ll": "ill",
    "do not": "dont", "don t": "dont", "does not": "doesnt", "is not": "isnt",
    "will not": "wont", "can not": "cant", "cannot": "cant", "can t": "cant",
    "could not": "couldnt", "no need": "dont need", "no necesito": "dont need",
    "stop calling": "dont call",
    "thank you for": "thanksfor", "thanks for": "thanksfor", "thank you": "thanks",
    "gracias por": "graciaspor", "por favor": "please",
}  # fmt: skip
FACES: Mapping[str, str] = {":(": " ☹ ", ":-(": " ☹ ", "=(": " ☹ ", "<3": " ❤ "}

# --- what is not their own words ------------------------------------------------------------------

# A machine wrote it: nobody has seen ours.
AUTOMATIC = re.compile(
    r"\b(auto(matic)?[ -]?reply|out of (the )?office|do not disturb|see your message"
    r"|respuesta automatica|fuera de la oficina|no molestar|vere tu mensaje)\b"
)
# "Liked “Still here?”": a phone's reaction quotes our words, which must not be read as theirs.
REACTION = re.compile(
    r"(liked|loved|laughed at|emphasized|questioned|disliked|removed an? [\w ]+ from"
    r"|reacted \S+ to|(no )?le gusto|le gusta|le encanto|\W{1,3} (to|a)) [“\"«]"
)
LIKED = ("liked ", "loved ", "le gusto ", "le gusta ", "le encanto ", "👍 ", "❤ ", "reacted 👍 ")
QUOTED_LINE = re.compile(r"\s*>")
QUOTED_FROM_HERE = re.compile(
    r"\s*(on .{1,200} wrote:|el .{1,200} escribi[oó]:|-+ ?original message)", re.IGNORECASE
)
# A name has a capital: "-Sam" signs, "-dizzy" is something to hear.
_NAME = r"[A-ZÁÉÍÓÚÑ]\w*"
SIGNED = re.compile(
    rf"\s*(--\s*$|[-\u2013\u2014~*_]{{1,3}}\s*{_NAME}(\s{_NAME})?\s*[-\u2013\u2014~*_]*\s*$"
    r"|(?i:sent from my |enviado desde mi |get outlook ))"
)
SIGNED_ON_THE_LINE = re.compile(rf"\s--\s*{_NAME}\W*$")
