"""`stillhere bounce`: a returned mail is a receipt, and moves the ladder like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.db import connection

from stillhere.cli.commands import bounce
from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Arrival, Message
from stillhere.store.people import invitations
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Reached
from stillhere.store.watches.apply import CallForHelp
from tests.channels.test_bounces import OURS, POSTFIX, mail
from tests.circle import SamsNight, sams_night, tick_all, ways
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    """Leo, whom only mail reaches, was told of the alarm; Maya is next."""
    night = sams_night()
    by_mail = [Reached("email", "leo@example.org", rings=False)]
    for name, reached in (("Leo", by_mail), ("Maya", ways(102))):
        night.contacts[name] = invitations.add_contact(night.person, name, reached)
        invitations.join(night.contacts[name])
        address_proof.vouch(night.contacts[name])
    Message.objects.all().delete()
    night.start()
    night.does(CallForHelp())
    [told] = delivery.lease("email", clock.now, 5, 20)
    delivery.record([told.result(Receipt(Fate.ACCEPTED, provider_ref=OURS))], clock.now)
    return night


def comes_back(raw: bytes) -> Result:
    return CliRunner().invoke(bounce.command, input=raw)


def test_a_bounced_mail_breaks_the_address_and_moves_the_rung(night: SamsNight) -> None:
    for _ in range(2):
        assert comes_back(mail(POSTFIX)).exit_code == 0
    tick_all()
    assert Address.objects.get(channel="email").state == "broken"
    assert {m.contact_id for m in night.queued("help", "alarm")} == {night.contacts["Maya"].id}
    assert Arrival.objects.count() == 1


def test_a_mail_that_is_only_late_moves_nothing(night: SamsNight) -> None:
    late = mail(POSTFIX.replace("5.1.1", "4.4.1").replace("Action: failed", "Action: delayed"))
    assert comes_back(late).output == "Stored.\n"
    assert Address.objects.get(channel="email").state == "ok"
    assert not night.queued("help", "alarm")


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"Subject: hello\r\n\r\nBuy this.\r\n"])
def test_anybody_may_write_there_and_is_ignored(night: SamsNight, raw: bytes) -> None:
    said = comes_back(raw)
    assert (said.exit_code, said.output) == (0, "No bounce of ours.\n")
    assert not Arrival.objects.exists()


def test_what_could_not_be_stored_stays_in_the_mail_servers_queue(night: SamsNight) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE arrival RENAME TO gone")
        said = comes_back(mail(POSTFIX))
        cursor.execute("ALTER TABLE gone RENAME TO arrival")
    assert said.exit_code == bounce.TRY_AGAIN_LATER
    assert "example.org" not in said.output
    assert comes_back(mail(POSTFIX)).exit_code == 0
    assert Address.objects.get(channel="email").state == "broken"


@pytest.mark.parametrize("wrong", [{"STILLHERE_CARRIER": "x"}, {"STILLHERE_LOG": "loud"}])
def test_a_wrong_setting_loses_no_mail(wrong: dict[str, str], tmp_path: Path) -> None:
    """The mail server tries again later, and says meanwhile what is wrong."""
    told = subprocess.run(
        [sys.executable, "-m", "stillhere", "bounce"],
        input=mail(POSTFIX),
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "stillhere.config.settings",
            "STILLHERE_DATA": str(tmp_path),
            **wrong,
        },
        capture_output=True,
        check=False,
    )
    assert told.returncode == bounce.TRY_AGAIN_LATER
    assert next(iter(wrong)).encode() in told.stderr
    assert b"Traceback" not in told.stderr
