"""Every address there is. What has a key in it is opened by that key alone."""

from __future__ import annotations

from django.urls import path

from stillhere.web.contact import on_scene, page
from stillhere.web.guide import help_now, helplines, learn, print
from stillhere.web.hooks import calls, demo_phones, peer_heartbeat, push
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
    trial,
    watch,
    watch_link,
)
from stillhere.web.program import desk, shift, stock
from stillhere.web.site import health, preferences

urlpatterns = [
    path("", home.first),
    path("try", trial.begin),
    path("try/<str:key>", trial.show),
    path("try/<str:key>/part", trial.part),
    path("try/<str:key>/state", trial.state),
    path("help-now", help_now.show),
    path("steps", help_now.steps),
    path("sources", help_now.sources),
    path("before", learn.before),
    path("after", learn.after),
    path("learn", learn.learn),
    path("warnings.atom", stock.atom),
    path("paper/certificate.pdf", print.certificate),
    path("paper/<slug:name>.pdf", print.show),
    path("kit/<str:key>", pages.sticker),
    path("kit/<str:key>/mine", pages.take),
    path("said/<slug:screen>.wav", help_now.said),
    path("lines", helplines.show),
    path("healthz", health.healthz),
    path("language", preferences.language),
    path("light", preferences.light),
    path("out", watch.out),
    path("sw.js", offline.worker),
    path("offline", offline.page),
    # Sam, known by a cookie
    path("watch", watch.watch),
    path("watch/part", watch.part),
    path("watch/state", watch.state),
    path("push", push.mine),
    path("later", ask_later.later),
    path("people", contacts.people),
    path("people/card/<str:contact>", contacts.card),
    path("routine", routine.routine),
    path("kits", pages.mine),
    path("pin", pin.ask),
    path("mine", my_data.mine),
    path("mine/lamp.json", my_data.take),
    path("forget", my_data.forget),
    # Sam, known by a key. POST /k/<key> itself never comes here: it is the fast lane's.
    path("p", recovery.typed),
    path("p/<str:key>", recovery.come_back),
    path("k/<str:key>", watch_link.show),
    path("k/<str:key>/shown", watch_link.on_screen),
    path("k/<str:key>/key", push.persons_key),
    *(path(f"k/<str:key>/{do}", watch_link.press, {"do": do}) for do in watch_link.PRESSES),
    # the one who waits
    path("c/<str:key>", page.page),
    path("c/<str:key>/part", page.part),
    path("c/<str:key>/lamp.vcf", page.number),
    path("c/<str:key>/state", page.state),
    path("c/<str:key>/answer", page.answer),
    path("c/<str:key>/did", on_scene.did),
    path("c/<str:key>/steps", on_scene.steps),
    path("c/<str:key>/kits", pages.contacts_own),
    path("c/<str:key>/learn", learn.contact_learns),
    path("c/<str:key>/key", push.contacts_key),
    path("c/<str:key>/said", page.said),
    # the one on shift
    path("r/<str:key>", shift.page),
    path("r/<str:key>/shift", shift.shift),
    path("r/<str:key>/kits", pages.responders_own),
    path("r/<str:key>/learn", learn.responder_learns),
    path("c/<str:key>/push", push.theirs),
    # an installation that we look after
    path("beat/<str:key>", peer_heartbeat.take),
    # providers
    path("hooks/phones", demo_phones.phones),
    path("in/<str:name>/call", calls.call),
    path("in/<str:name>/ended", calls.ended),
    path("in/<str:name>/said/<str:key>", calls.said),
    # the one who runs this
    path("desk", desk.door),
    path("desk/<str:key>", desk.desk),
    path("desk/<str:key>/act", desk.act),
    path("desk/<str:key>/stock", stock.page),
    path("desk/<str:key>/kits.csv", stock.csv_out),
    path("desk/<str:key>/stickers.pdf", stock.stickers),
]
