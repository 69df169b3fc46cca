"""Every address there is. What has a key in it is opened by that key alone."""

from __future__ import annotations

from django.urls import path

from stillhere.web import (
    beat,
    button,
    calls,
    contact,
    desk,
    first,
    health,
    help_now,
    inbound,
    later,
    lines,
    mine,
    offline,
    people,
    person,
    pin,
    pushed,
    recovery,
    responder,
    routine,
    taste,
    tryit,
)

urlpatterns = [
    path("", first.first),
    path("try", tryit.begin),
    path("try/<str:key>", tryit.show),
    path("try/<str:key>/part", tryit.part),
    path("try/<str:key>/state", tryit.state),
    path("help-now", help_now.show),
    path("lines", lines.show),
    path("healthz", health.healthz),
    path("language", taste.language),
    path("light", taste.light),
    path("out", person.out),
    path("sw.js", offline.worker),
    path("offline", offline.page),
    # Sam, known by a cookie
    path("watch", person.watch),
    path("watch/part", person.part),
    path("watch/state", person.state),
    path("push", pushed.mine),
    path("later", later.later),
    path("people", people.people),
    path("people/card/<str:contact>", people.card),
    path("routine", routine.routine),
    path("pin", pin.ask),
    path("mine", mine.mine),
    path("mine/lamp.json", mine.take),
    path("forget", mine.forget),
    # Sam, known by a key. POST /k/<key> itself never comes here: it is the fast lane's.
    path("p", recovery.typed),
    path("p/<str:key>", recovery.come_back),
    path("k/<str:key>", button.show),
    path("k/<str:key>/shown", button.on_screen),
    path("k/<str:key>/key", pushed.persons_key),
    *(path(f"k/<str:key>/{do}", button.press, {"do": do}) for do in button.PRESSES),
    # the one who waits
    path("c/<str:key>", contact.page),
    path("c/<str:key>/part", contact.part),
    path("c/<str:key>/lamp.vcf", contact.number),
    path("c/<str:key>/state", contact.state),
    path("c/<str:key>/answer", contact.answer),
    path("c/<str:key>/key", pushed.contacts_key),
    path("c/<str:key>/said", contact.said),
    # the one on shift
    path("r/<str:key>", responder.page),
    path("r/<str:key>/shift", responder.shift),
    path("c/<str:key>/push", pushed.theirs),
    # an installation that we look after
    path("beat/<str:key>", beat.take),
    # providers
    path("hooks/phones", inbound.phones),
    path("in/<str:name>/call", calls.call),
    path("in/<str:name>/ended", calls.ended),
    path("in/<str:name>/said/<str:key>", calls.said),
    # the one who runs this
    path("desk", desk.door),
    path("desk/<str:key>", desk.desk),
    path("desk/<str:key>/act", desk.act),
]
