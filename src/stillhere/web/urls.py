"""Every address there is. An address with a key in it is opened by that key alone."""

from __future__ import annotations

from django.urls import include, path

from stillhere.web.contact import contact_data, on_scene, page
from stillhere.web.guide import help_now, helplines, learn, print
from stillhere.web.hooks import calls, chat, demo_phones, peer_heartbeat, push
from stillhere.web.kits import pages
from stillhere.web.person import (
    ask_later,
    contacts,
    home,
    my_data,
    offline,
    pin,
    recovery,
    routine,
    secret_word,
    trial,
    watch,
    watch_link,
)
from stillhere.web.program import desk, look, shift, stock
from stillhere.web.site import health, preferences, security

SITE = [
    path("healthz", health.healthz, name="health"),
    path("language", preferences.language, name="language"),
    path("light", preferences.light, name="light"),
    path(".well-known/security.txt", security.contact, name="security_contact"),
    path("security", security.policy, name="security_policy"),
]
GUIDE = [
    path("help-now", help_now.show, name="help_now"),
    path("steps", help_now.steps, name="steps"),
    path("sources", help_now.sources, name="sources"),
    path("said/<slug:screen>.wav", help_now.said, name="speech"),
    path("before", learn.before, name="before"),
    path("after", learn.after, name="after"),
    path("learn", learn.learn, name="lesson"),
    path("c/<str:key>/learn", learn.contact_learns, name="contact_lesson"),
    path("r/<str:key>/learn", learn.responder_learns, name="responder_lesson"),
    path("lines", helplines.show, name="helplines"),
    path("paper/certificate.pdf", print.certificate, name="certificate"),
    path("paper/<slug:name>.pdf", print.show, name="paper"),
]
PERSON = [
    path("", home.first, name="first"),
    path("try", trial.begin, name="trials"),
    path("try/<str:key>", trial.show, name="trial"),
    path("try/<str:key>/part", trial.part, name="trial_part"),
    path("try/<str:key>/state", trial.state, name="trial_state"),
    path("out", watch.out, name="exit"),
    path("sw.js", offline.worker, name="service_worker"),
    path("offline", offline.page, name="offline"),
    # Sam, known by a cookie
    path("watch", watch.watch, name="watch"),
    path("watch/part", watch.part, name="watch_part"),
    path("watch/state", watch.state, name="watch_state"),
    # A stream is web/live's, in front of this; whoever takes none is answered at once.
    path("watch/live", watch.state, name="watch_live"),
    path("later", ask_later.later, name="later"),
    path("people", contacts.people, name="people"),
    path("people/card/<str:contact>", contacts.card, name="card"),
    path("routine", routine.routine, name="routine"),
    path("pin", pin.ask, name="pin"),
    path("mine", my_data.mine, name="data"),
    path("mine/word", secret_word.show, name="secret_word"),
    path("mine/lamp.json", my_data.take, name="data_file"),
    path("forget", my_data.forget, name="forgetting"),
    path("stay", my_data.stay, name="staying"),
    # Sam, known by a key. POST /k/<key> itself never comes here: it is the fast lane's.
    path("p", recovery.typed, name="code"),
    path("p/<str:key>", recovery.come_back, name="recovery"),
    path("k/<str:key>", watch_link.show, name="button"),
    path("k/<str:key>/shown", watch_link.on_screen, name="shown"),
    *(
        path(f"k/<str:key>/{do}", watch_link.press, {"do": do}, name=do)
        for do in watch_link.PRESSES
    ),
]
CONTACT = [
    path("c/<str:key>", page.page, name="page"),
    path("c/<str:key>/part", page.part, name="part"),
    path("c/<str:key>/lamp.vcf", page.number, name="number"),
    path("c/<str:key>/state", page.state, name="state"),
    path("c/<str:key>/live", page.state, name="live"),
    path("c/<str:key>/mine", contact_data.mine, name="data"),
    path("c/<str:key>/mine/lamp.json", contact_data.take, name="data_file"),
    path("c/<str:key>/answer", page.answer, name="answer"),
    path("c/<str:key>/said", page.said, name="recording"),
    path("c/<str:key>/said/<slug:kind>", page.spoken, name="spoken"),
    path("c/<str:key>/did", on_scene.did, name="deed"),
    path("c/<str:key>/steps", on_scene.steps, name="steps"),
]
KITS = [
    path("kits", pages.mine, name="person"),
    path("c/<str:key>/kits", pages.contacts_own, name="contact"),
    path("r/<str:key>/kits", pages.responders_own, name="responder"),
    path("kit/<str:key>", pages.sticker, name="sticker"),
    path("kit/<str:key>/mine", pages.take, name="keeper"),
]
PROGRAM = [
    path("desk", desk.desk, name="desk"),
    path("desk/act", desk.act, name="act"),
    path("desk/stock", stock.page, name="stock"),
    path("desk/kits.csv", stock.csv_out, name="kits_file"),
    path("desk/stickers.pdf", stock.stickers, name="stickers"),
    path("desk/<str:key>", desk.enter, name="door"),
    path("look/<str:key>/<slug:who>", look.look, name="look"),
    path("desk/<str:key>/stock", desk.enter, {"page": "program:stock"}, "stock_door"),
    path("r/<str:key>", shift.page, name="responder"),
    path("r/<str:key>/shift", shift.shift, name="shift"),
    path("warnings.atom", stock.atom, name="warnings_feed"),
]
HOOKS = [
    path("push", push.mine, name="person_push"),
    path("push/renewed", push.renewed, name="push_renewed"),
    path("c/<str:key>/push", push.theirs, name="contact_push"),
    path("chat", chat.mine, name="person_chat"),
    path("c/<str:key>/chat", chat.theirs, name="contact_chat"),
    path("k/<str:key>/key", push.persons_key, name="person_key"),
    path("c/<str:key>/key", push.contacts_key, name="contact_key"),
    path("beat/<str:key>", peer_heartbeat.take, name="heartbeat"),
    path("hooks/phones", demo_phones.phones, name="phones"),
    path("in/<str:name>/call", calls.call, name="call"),
    path("in/<str:name>/ended", calls.ended, name="call_end"),
    path("in/<str:name>/said/<str:key>", calls.said, name="recording"),
]

# The rooms that are opened most, and in the greatest hurry, first.
urlpatterns = [
    path("", include((PERSON, "person"))),
    path("", include((CONTACT, "contact"))),
    path("", include((GUIDE, "guide"))),
    path("", include((SITE, "site"))),
    path("", include((KITS, "kits"))),
    path("", include((PROGRAM, "program"))),
    path("", include((HOOKS, "hooks"))),
]
