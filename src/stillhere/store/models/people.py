"""The person, the contacts they chose, and the ways to reach them. Everything that identifies
somebody is sealed.

A row's ``nonce`` binds its sealed fields to it, and its secret key is derived from it
(``encryption.py``); ``key_hash`` is all we store of the key.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Person(models.Model):
    """Someone who keeps a watch. There is no account: whoever has the key is taken for them."""

    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    name = models.BinaryField(default=b"")  # sealed, as are all below
    place = models.BinaryField(default=b"")  # where I usually am
    entry = models.BinaryField(default=b"")  # how to get in, who has a key
    dispatch = models.BinaryField(default=b"")  # local dispatch number and words
    lang = models.CharField(max_length=8, default="en")
    tz = models.CharField(max_length=64, default="UTC")
    wish = models.CharField(max_length=16, default="phone-first")  # the ambulance wish
    created_at = models.BigIntegerField()
    town = models.BinaryField(default=b"", db_default=b"")  # sealed; for a dispatcher elsewhere
    speak = models.BooleanField(default=False, db_default=False)  # at alarm this phone calls out
    pin = models.CharField(max_length=128, default="", db_default="")  # hashed; "": none was set
    caller = models.BooleanField(default=False, db_default=False)  # a phone, never a page
    volunteers = models.BooleanField(default=False, db_default=False)  # who is on shift may come
    trial = models.BooleanField(default=False, db_default=False)  # "Try it": erased after an hour
    kits_first = models.BooleanField(default=False, db_default=False)  # who carries a kit is first
    news = models.BooleanField(default=False, db_default=False)  # wants to hear supply warnings
    pin_at = models.BigIntegerField(default=0, db_default=0)  # since when; 0: before that was kept
    pin_off_at = models.BigIntegerField(default=0, db_default=0)  # then a forgotten PIN goes
    # Their cookies still hold the key itself: made by a release that had no ``Browser``.
    key_in_cookie = models.BooleanField(default=False, db_default=True)
    # The word that calls for help in secret: a keyed hash, or nothing (``people/force.py``).
    force_word = models.BinaryField(max_length=32, default=b"", db_default=b"")
    # What was set on pages that this word opened: what opens them in place of the PIN, hashed, or
    # ``persons.BY_WORD``; the PIN that was removed there; and another such word.
    decoy_pin = models.CharField(max_length=128, default="", db_default="")
    pin_aside = models.CharField(max_length=128, default="", db_default="")
    decoy_word = models.BinaryField(max_length=32, default=b"", db_default=b"")
    # Stands for somebody in their call for help in secret, out of reach of their phones
    # (``people/force.py``); erased with that.
    secret = models.BooleanField(default=False, db_default=False)
    used_at = models.BigIntegerField(default=0, db_default=0)  # to a month or so; 0: not noted yet
    idle_told_at = models.BigIntegerField(default=0, db_default=0)  # that they will be erased

    class Meta:
        db_table = "person"
        indexes: ClassVar = [
            models.Index(
                fields=["force_word"], name="person_secret", condition=models.Q(secret=True)
            )
        ]


class Browser(models.Model):
    """A browser or phone that opens one person's pages: its cookie holds a token, we hold the
    token's hash. ``kind`` is what it says it is; ``since`` is a day, and no time is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="browsers")
    token_hash = models.BinaryField(max_length=32, unique=True)
    kind = models.CharField(max_length=40, default="", db_default="")  # "Chrome/Android"
    since = models.DateField()
    borrowed = models.BooleanField(default=False, db_default=False)  # somebody else's phone
    # When it goes because a younger one asks for that; 0: it stays.
    out_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "browser"
        indexes: ClassVar = [
            models.Index(fields=["out_at"], name="browser_out", condition=models.Q(out_at__gt=0))
        ]


class PinTries(models.Model):
    """Tries at a person's PIN, by window: when it began, and how many (``people/pin_tries.py``)."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, primary_key=True)
    minute_at = models.BigIntegerField(default=0)
    minute = models.PositiveSmallIntegerField(default=0)
    hour_at = models.BigIntegerField(default=0)
    hour = models.PositiveSmallIntegerField(default=0)
    day_at = models.BigIntegerField(default=0)
    day = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "pin_tries"


class Contact(models.Model):
    """A human whom the person chose. Only a no removes someone: ``left`` said so themselves,
    ``removed`` was removed by Sam."""

    class Status(models.TextChoices):
        INVITED = "invited"  # has not answered: rung once, marked so
        CONFIRMED = "confirmed"
        LEFT = "left"
        REMOVED = "removed"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="contacts")
    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    name = models.BinaryField(default=b"")  # sealed
    lang = models.CharField(max_length=8, default="en")
    rung = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.INVITED)
    door = models.BooleanField(default=True)  # may see the place after a claim
    created_at = models.BigIntegerField()
    answered_at = models.BigIntegerField(null=True)
    minutes = models.PositiveSmallIntegerField(null=True)  # how far away, as Sam says; null: unsaid
    why = models.BooleanField(default=False, db_default=False)  # may know what it is about
    away_until_at = models.BigIntegerField(default=0, db_default=0)  # "not tonight": reached last
    rang_at = models.BigIntegerField(default=0, db_default=0)  # they said that a test rang
    drilled_at = models.BigIntegerField(default=0, db_default=0)  # the last drill reached them
    drill_answered_at = models.BigIntegerField(default=0, db_default=0)  # 0: not answered
    # Somebody of the programme who is on shift, not chosen by the person.
    responder = models.ForeignKey(
        "store.Responder", on_delete=models.SET_NULL, null=True, related_name="contacts"
    )
    drill_said = models.CharField(max_length=4, default="", db_default="")  # yes, no, nothing
    trained_at = models.BigIntegerField(default=0, db_default=0)  # answered the questions; 0: not
    door_at = models.BigIntegerField(default=0, db_default=0)  # place in a call for help, from then
    hears_force = models.BooleanField(default=False, db_default=False)  # of the word in secret
    hears_decoy = models.BooleanField(default=False, db_default=False)  # of the other such word

    class Meta:
        db_table = "contact"


class Address(models.Model):
    """One way to reach one phone. ``rings`` is the channel's capability, copied when the address is
    made.

    ``lookup`` is a keyed hash of (channel, address): how an incoming text finds its sender.
    ``proved_at`` is when its owner showed that it is theirs; 0: not yet, 1: before that was kept.
    ``people/numbers`` says how, and what may be sent until then.
    """

    class State(models.TextChoices):
        OK = "ok"
        BROKEN = "broken"  # a receipt said it can never work
        OPTED_OUT = "opted-out"

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, related_name="addresses"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, related_name="addresses"
    )
    nonce = models.BinaryField(max_length=16)
    channel = models.CharField(max_length=20)
    value = models.BinaryField()  # sealed
    lookup = models.BinaryField(max_length=32, db_index=True)
    rings = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OK)
    since_at = models.BigIntegerField(default=0)
    why = models.CharField(max_length=200, default="")
    # The one that a person's notifications go to: they end with it.
    browser = models.ForeignKey(
        Browser, on_delete=models.CASCADE, null=True, related_name="addresses"
    )
    proved_at = models.BigIntegerField(default=0, db_default=0)
    reached_at = models.BigIntegerField(default=0, db_default=0)  # a browser, by a notification

    class Meta:
        db_table = "address"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(contact__isnull=True),
                name="address_of_one",
            )
        ]


class ChatCode(models.Model):
    """A code that connects one chat, once, to a person or a contact; we hold its hash. The chat
    ends with the ``browser`` on whose page it was asked for."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True)
    browser = models.ForeignKey(Browser, on_delete=models.CASCADE, null=True)
    code_hash = models.BinaryField(max_length=32, unique=True)
    until_at = models.BigIntegerField()

    class Meta:
        db_table = "chat_code"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(contact__isnull=True),
                name="chat_code_of_one",
            )
        ]


class Suppression(models.Model):
    """A number or address that asked not to be reached. No foreign key: it outlives all rows."""

    class Why(models.TextChoices):
        STOP = "stop"  # a text, or what a carrier took for one
        KEY = "key"  # "never again" in a call
        PAGE = "page"  # "leave" on the contact's page
        DECLINED = "declined"  # no to the invitation of one person
        BEFORE = "before"  # opted out before there was this list

    lookup = models.BinaryField(max_length=32)
    person = models.BigIntegerField(default=0, db_default=0)  # 0: whoever asks
    proved = models.BooleanField(default=False, db_default=False)  # said from the number itself
    why = models.CharField(max_length=10, choices=Why.choices)
    at = models.BigIntegerField()

    class Meta:
        db_table = "suppression"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lookup", "person"], name="suppression_once")
        ]
