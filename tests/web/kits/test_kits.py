"""Kits: entered in twenty seconds, by whoever carries them, or by whoever scans the sticker."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from stillhere.engine import render
from stillhere.engine.erasure import erase_once
from stillhere.store.installation import desk_key
from stillhere.store.kits import kits, naloxone
from stillhere.store.kits.kits import Inside
from stillhere.store.messages import delivery
from stillhere.store.models import Kit, Message
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.web.access import contact_device
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, read, text_of

NASAL = {"do": "add", "form": "nasal", "doses": "2", "expires": "05/2027"}


def send(client: Client, path: str, **fields: str) -> Any:
    """Press a button, with whatever else the page's form holds."""
    client.get("/", follow=True)
    return client.post(path, {"csrfmiddlewaretoken": client.cookies["csrftoken"].value, **fields})


def stock() -> str:
    return f"/desk/{desk_key.key()}/stock"


# --- whoever carries one --------------------------------------------------------------------------


def test_sam_keeps_one_where_it_is_found(sam: Client, night: SamsNight) -> None:
    post(sam, "/kits", **NASAL, place="blue backpack")
    told = read(sam, "/kits")
    assert "nose spray, 2 doses , blue backpack Good until May 2027." in told
    [kit] = kits.of(night.person)
    assert b"backpack" not in bytes(Kit.objects.get().place), "sealed"
    post(sam, "/kits", do="used", kit=str(kit.id))
    assert "Empty. Get a new one, then add it." in read(sam, "/kits")
    post(sam, "/kits", do="gone", kit=str(kit.id))
    assert "None yet." in read(sam, "/kits")


def test_a_contact_and_a_volunteer_keep_theirs(night: SamsNight) -> None:
    ana = shifts.add("Ana", "+12025550150", "en")
    for path in (f"{contact_path(night, 'Leo')}/kits", f"/r/{shifts.key_of(ana)}/kits"):
        assert browser().post(path, NASAL).status_code == 303
        assert "Good until May 2027." in read(browser(), path)
    assert Kit.objects.filter(contact=night.contacts["Leo"]).count() == 1
    assert Kit.objects.filter(responder=ana).count() == 1
    assert "nose spray, 2 doses, May 2027" in read(browser(), f"/r/{shifts.key_of(ana)}")


def test_nobody_touches_another_s_kit(night: SamsNight) -> None:
    mine = kits.add(Inside("nasal", 2), contact=night.contacts["Maya"])
    leo = f"{contact_path(night, 'Leo')}/kits"
    for do in ("used", "gone"):
        browser().post(leo, {"do": do, "kit": str(mine.id)})
    assert kits.usable(Kit.objects.get())


@pytest.mark.parametrize(
    ("typed", "month"),
    [
        ("05/2027", "2027-05"), ("5/27", "2027-05"), ("2027-05", "2027-05"), ("05.2027", "2027-05"),
        ("2027-05-31", "2027-05"), ("", ""), ("12 2026", "2026-12"), ("05/31/2027", "2027-05"),
        ("31.05.2027", "2027-05"), ("May 2027", "2027-05"), ("mayo 2027", "2027-05"),
        ("05 / 2027", "2027-05"), ("052027", "2027-05"), ("12/2038", "2038-12"),
    ],
)  # fmt: skip
def test_a_month_is_read_as_boxes_write_it(typed: str, month: str) -> None:
    assert kits.inside({**NASAL, "expires": typed}).expires == month


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"form": ""}, "Say what kind of naloxone it is."),
        ({"form": "cream"}, "Say what kind of naloxone it is."),
        ({"doses": "none"}, "Say how many doses are in it."),
        ({"doses": "0"}, "Say how many doses are in it."),
        ({"doses": "9" * 400}, "Say how many doses are in it."),
        ({"doses": "0001" + "9" * 20}, "Say how many doses are in it."),
        ({"doses": "9" * 5000}, "Say how many doses are in it."),
        ({"expires": "13/2027"}, "Say the month it is good until, like 05/2027."),
        ({"expires": "2027-05-99"}, "Say the month it is good until, like 05/2027."),
        ({"expires": "05/06/2027"}, "Say the month it is good until, like 05/2027."),
        ({"expires": "05/2099"}, "No kit is good for so long."),
        ({"expires": "next year"}, "Say the month it is good until, like 05/2027."),
    ],
)
def test_what_cannot_be_is_said_kindly_and_nothing_typed_is_lost(
    night: SamsNight, change: dict[str, str], says: str
) -> None:
    response = browser().post(
        f"{contact_path(night, 'Leo')}/kits", {**NASAL, "lot": "L7", **change}
    )
    assert response.status_code == 422
    assert says in text_of(response)
    assert 'value="L7"' in response.content.decode()
    assert not Kit.objects.exists()


@pytest.mark.parametrize(
    ("typed", "form", "says"),
    [
        ("nasal", "nasal", "nose spray, 2 doses"),
        ("nasal-3", "nasal-3", "nose spray 3 mg (RiVive), 2 doses"),
        ("Narcan", "nasal-4", "nose spray 4 mg (Narcan), 2 doses"),
        ("KLOXXADO", "nasal-8", "nose spray 8 mg (Kloxxado), 2 doses"),
        ("RiVive", "nasal-3", "nose spray 3 mg (RiVive), 2 doses"),
        (" Nyxoid ", "nyxoid", "nose spray 1.8 mg (Nyxoid), 2 doses"),
        ("Prenoxad", "prenoxad", "filled syringe (Prenoxad), 2 doses"),
    ],
)
def test_a_kit_says_how_strong_it_is(sam: Client, typed: str, form: str, says: str) -> None:
    post(sam, "/kits", **{**NASAL, "form": typed})
    kit = Kit.objects.get()
    assert kit.form == form
    assert says in read(sam, "/kits")
    assert says in read(browser(), f"/kit/{kits.key_of(kit)}")


def test_every_kind_can_be_chosen(sam: Client) -> None:
    told = read(sam, "/kits")
    for label in naloxone.FORMS.values():
        assert str(label) in told
    assert "nose spray (strength unknown)" in told
    assert max(map(len, naloxone.FORMS)) <= 12, "as long as what was done in an alarm may say"


def test_pressed_twice_it_is_one_kit(sam: Client, night: SamsNight, clock: Clock) -> None:
    leo, desk_ = f"{contact_path(night, 'Leo')}/kits", stock()
    for _ in range(2):
        post(sam, "/kits", **NASAL, place="blue backpack")
        browser().post(leo, NASAL)
        told = text_of(browser().post(desk_, {**NASAL, "do": "kit"}, follow=True))
    assert "This kit was added a moment ago, and counts once." in told
    assert Kit.objects.count() == 3
    post(sam, "/kits", **NASAL, place="in the hall")
    clock.advance(61)
    post(sam, "/kits", **NASAL, place="blue backpack")
    assert Kit.objects.filter(person=night.person).count() == 3, "two that are alike"


def test_what_was_typed_wrong_is_corrected_and_nothing_is_lost(
    sam: Client, night: SamsNight
) -> None:
    kit = kits.add(Inside("nasal-4", 2, "2027-05", "L7", "in the hall"), person=night.person)
    assert "Lot L7" in read(sam, "/kits")
    more = {"do": "change", "kit": str(kit.id), "form": "nasal-4", "doses": "1", "lot": "L8"}
    response = send(sam, "/kits", **more, expires="soon", place="by the bed")
    page = response.content.decode()
    assert response.status_code == 422
    assert page.index("Say the month") < page.index('id="add"'), "said where it was typed"
    for value in ('value="soon"', 'value="L8"', 'value="by the bed"'):
        assert value in page
    post(sam, "/kits", **more, expires="06/2027", place="by the bed")
    kit.refresh_from_db()
    assert (kit.doses, kit.expires, kit.lot) == (1, "2027-06", "L8")
    assert kits.place_of(kit) == "by the bed"
    kits.used(kit)
    assert "It is full again" in read(sam, "/kits")
    post(sam, "/kits", **more, expires="06/2027", place="by the bed")
    assert kits.usable(Kit.objects.get())
    kit.delete()
    response = send(sam, "/kits", **more, expires="")
    assert "not on your list any more" in text_of(response)
    assert 'value="L8"' in response.content.decode()


def test_there_is_an_end_to_it(night: SamsNight) -> None:
    for _ in range(kits.MOST_KITS):
        kits.add(Inside("nasal", 2), person=night.person)
    with pytest.raises(Problem, match="kit-many"):
        kits.add(Inside("nasal", 2), person=night.person)


# --- the sticker ----------------------------------------------------------------------------------


def test_a_sticker_opens_the_steps_first_and_then_what_is_in_it(night: SamsNight) -> None:
    kit = kits.add(Inside("prenoxad", 5, "2027-01", "", "in the hall"), person=night.person)
    path = f"/kit/{kits.key_of(kit)}"
    page = browser().get(path).content.decode()
    told = read(browser(), path)
    assert told.index("Someone is down in front of me") < told.index("filled syringe (Prenoxad)")
    airway = page.partition('id="airway"')[2].partition("</section>")[0]
    assert 'href="#prenoxad" data-do="breaths"' in airway, "it is in the hand, and known"
    assert "Sam" not in told
    assert "hall" not in told, "nothing about whose it is"
    assert browser().post(path, {"do": "used"}).status_code == 303
    assert "Empty, as far as we know." in read(browser(), path)
    browser().post(path, {**NASAL, "do": "change"})
    kit.refresh_from_db()
    assert (kit.form, kit.doses, kit.used_at) == ("nasal", 2, 0)
    assert kits.place_of(kit) == "in the hall", "what the sticker does not ask stays"
    assert browser().get("/kit/" + "a" * 27).status_code == 404
    assert browser().post(path, {"form": "nasal", "doses": "many"}).status_code == 422


def test_a_sheet_of_stickers_is_a_pdf_and_each_opens_a_kit(clock: Clock) -> None:
    response = browser().post(f"/desk/{desk_key.key()}/stickers.pdf", {"many": "12"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert Kit.objects.count() == 12
    told = read(browser(), f"/kit/{kits.key_of(Kit.objects.all()[0])}")
    assert "nobody has looked into it yet" in told
    for many in ("0", "31", "x", "", "9" * 5_000):
        refused = browser().post(f"/desk/{desk_key.key()}/stickers.pdf", {"many": many})
        assert refused.status_code == 422
        assert "A sheet holds 1 to 30 stickers." in text_of(refused)


def test_who_is_known_on_this_phone_carries_it_from_now_on(
    sam: Client, night: SamsNight, clock: Clock
) -> None:
    kit, other = kits.stickers(2)
    path = f"/kit/{kits.key_of(kit)}"
    assert "I carry this" in read(sam, path)
    send(sam, f"{path}/mine", who="me")
    kit.refresh_from_db()
    assert kit.person == night.person
    assert "You carry this kit." in read(sam, path)
    assert "Look into it, and say what is there." in read(sam, "/kits")
    phone = browser()
    phone.get(contact_path(night, "Leo"))
    there = f"/kit/{kits.key_of(other)}"
    assert "I carry this, for Sam" in read(phone, there)
    send(phone, f"{there}/mine", who=f"c{night.contacts['Leo'].id}")
    browser().post(there, {**NASAL, "do": "change"})
    assert [c.id for c in kits.of(night.contacts["Leo"])] == [other.id]
    carried = kits.carriers([night.contacts["Leo"]], clock.now)
    assert carried[night.contacts["Leo"].id].id == other.id, "an alarm knows it"


def test_a_phone_of_theirs_is_known_at_the_sticker_too(night: SamsNight) -> None:
    response = HttpResponse()
    contact_device.remember(response, night.contacts["Leo"])
    [cookie] = response.cookies.values()
    assert cookie["path"] == "/"


def test_nobody_takes_what_is_somebody_s_and_a_stranger_takes_nothing(
    sam: Client, night: SamsNight
) -> None:
    theirs = kits.add(Inside("nasal", 2), contact=night.contacts["Leo"])
    free = kits.add(Inside("nasal", 2))
    path, there = (f"/kit/{kits.key_of(kit)}" for kit in (theirs, free))
    told = read(sam, path)
    assert "I carry this" not in told
    assert "Leo" not in told
    assert send(sam, f"{path}/mine", who="me").status_code == 422
    stranger = browser(stranger=True)
    assert "I carry this" not in read(stranger, there)
    assert send(stranger, f"{there}/mine", who="me").status_code == 403
    stranger.cookies[f"c{night.contacts['Leo'].id}"] = "made up"
    for who in ("me", f"c{night.contacts['Leo'].id}", ""):
        response = send(stranger, f"{there}/mine", who=who)
        assert response.status_code == 403
        assert "We do not know whose phone this is" in text_of(response)
    for who in ("", "c1", "c99999"):
        response = send(sam, f"{there}/mine", who=who)
        assert response.status_code == 403
        assert "We do not know whose phone this is" in text_of(response)
    assert kits.of(night.contacts["Leo"]) == [theirs]
    assert Kit.objects.filter(person=None, contact=None).count() == 1
    assert send(sam, f"/kit/{'a' * 27}/mine", who="me").status_code == 404


# --- reminders ------------------------------------------------------------------------------------


def leaving(clock: Clock) -> list[tuple[str, str]]:
    found = delivery.lease("text", clock.now, 50, 20)
    return [(m.word, render.render(m, m.to).text) for m in found if m.word.startswith("kit-")]


def test_its_keeper_hears_once_before_it_runs_out_and_once_when_it_was_used(
    night: SamsNight, clock: Clock
) -> None:
    Message.objects.all().delete()
    kit = kits.add(Inside("nasal", 2, "2026-04"), contact=night.contacts["Leo"])  # it is January
    erase_once(clock.now)
    assert leaving(clock) == []
    clock.advance(30 * 86_400)
    for _ in range(3):
        erase_once(clock.now)
    [(word, text)] = leaving(clock)
    assert word == "kit-soon"
    assert text == "What you carry for an emergency runs out soon. Our page says how to get more."
    Message.objects.all().delete()
    kits.used(kit)
    erase_once(clock.now)
    assert leaving(clock) == [], "not while hands still shake"
    clock.advance(2 * 86_400)
    erase_once(clock.now)
    assert [word for word, _ in leaving(clock)] == ["kit-used"]


def test_sam_s_own_is_told_to_sam(night: SamsNight, clock: Clock) -> None:
    kits.add(Inside("nasal", 2, "2026-02"), person=night.person)
    Message.objects.all().delete()
    assert kits.remind(clock.now) == 1
    [message] = delivery.lease("text", clock.now, 50, 20)
    assert render.render(message, message.to).link.endswith("/kits")
    assert message.to == "+12025550100"


# --- the programme's stock ------------------------------------------------------------------------


def upload(do: str, body: bytes, **more: str) -> Any:
    file = SimpleUploadedFile("kits.csv", body)
    return browser().post(stock(), {"do": do, "file": file, **more}, follow=True)


def test_the_desk_counts_and_names_nobody(night: SamsNight) -> None:
    kits.add(Inside("nasal", 2, "2027-05", "", "Sam's shelf"), person=night.person)
    kits.add(Inside("nasal", 2, "2027-05"), contact=night.contacts["Leo"])
    kits.add(Inside("injection", 3, "2026-02"))
    told = read(browser(), stock())
    assert "nose spray , May 2027: 2 kits, 4 doses" in told
    assert "Of 2 people on lists 0 have learnt what to do." in told
    assert "bottle and syringe , February 2026: 1 kit, 3 doses" in told
    assert "Sam" not in told
    assert "Leo" not in told


def test_stock_goes_out_as_a_file_and_comes_in_again(clock: Clock) -> None:
    kits.add(Inside("nasal", 2, "2027-05", "-2+cmd()"))
    out = browser().get(f"/desk/{desk_key.key()}/kits.csv").content.decode("utf-8-sig")
    [row] = list(csv.DictReader(io.StringIO(out)))
    assert row["lot"] == "'-2+cmd()", "no spreadsheet runs it"
    changed = out.replace("nasal,2", "Nasal,1") + ",injection,3,2026-12,L9,,\n"
    told = text_of(upload("kits", b"\xef\xbb\xbf" + changed.encode()))
    assert "Kits added: 1. Kits changed: 1." in told
    found = Kit.objects.order_by("id").values_list("form", "doses", "lot")
    assert list(found) == [("nasal", 1, "-2+cmd()"), ("injection", 3, "L9")]


def test_what_is_empty_stays_so_and_what_nobody_looked_into_too(clock: Clock) -> None:
    used, good = (kits.add(Inside("nasal", 2, "2027-05")) for _ in range(2))
    kits.used(used)
    kits.stickers(2)
    before = list(Kit.objects.order_by("id").values())
    clock.advance(3600)
    out = browser().get(f"/desk/{desk_key.key()}/kits.csv").content
    assert out.startswith(b"\xef\xbb\xbf"), "or a spreadsheet spoils names"
    told = text_of(upload("kits", out + b",,,,,,\r\n"))
    assert "Kits as they were: " in told
    assert list(Kit.objects.order_by("id").values()) == before
    row = f"kit,form,doses,used\n{kits.key_of(good)},Narcan,2,yes\n".encode()
    upload("kits", row)
    good.refresh_from_db()
    assert (good.form, good.used_at) == ("nasal-4", clock.now)
    upload("kits", f"kit,form,doses\n{kits.key_of(good)},Narcan,1\n".encode())
    good.refresh_from_db()
    assert good.used_at == clock.now, "a file without this column does not say that it is full"
    upload("kits", row.replace(b"yes", b""))
    good.refresh_from_db()
    assert not good.used_at


def test_the_same_file_again_adds_nothing(clock: Clock) -> None:
    body = b"form;doses;expires\nNarcan;2;05/2027\nNarcan;2;05/2027\nprenoxad;5;\n;;\n"
    assert "Kits added: 3." in text_of(upload("kits", body))
    assert "Kits as they were: 3." in text_of(upload("kits", body))
    assert "Kits added: 4." in text_of(upload("kits", body + b"other;1;\n")), "another delivery"
    clock.advance(601)
    upload("kits", body)
    assert Kit.objects.count() == 10


def test_an_older_file_changes_nothing_that_is_not_in_stock_any_more(
    night: SamsNight, clock: Clock
) -> None:
    mine, gone, left = (kits.add(Inside("nasal", 2)) for _ in range(3))
    out = browser().get(f"/desk/{desk_key.key()}/kits.csv").content
    kits.take(mine, night.person)
    kits.used(Kit.objects.get(id=mine.id))
    kits.drop(gone)
    told = text_of(upload("kits", out))
    assert "Not in stock any more, left alone: 2." in told
    assert "Kits as they were: 1." in told
    assert not kits.usable(Kit.objects.get(id=mine.id)), "whoever carries it knows better"
    assert kits.usable(Kit.objects.get(id=left.id))


def test_only_the_desk_opens_it() -> None:
    for path in ("stock", "kits.csv"):
        assert browser().get(f"/desk/{'a' * 27}/{path}").status_code == 404
    assert browser().post(f"/desk/{'a' * 27}/stickers.pdf", {"many": "3"}).status_code == 404
    assert not Kit.objects.exists()


def test_a_kit_s_key_is_in_no_page_but_its_own(night: SamsNight, sam: Client) -> None:
    kit = kits.add(Inside("nasal", 2), person=night.person)
    for client, path in ((sam, "/kits"), (browser(), stock())):
        assert kits.key_of(kit) not in client.get(path).content.decode()
    assert re.fullmatch(r"[A-Za-z0-9_-]{27}", kits.key_of(kit))


def test_whoever_scans_a_sticker_that_is_not_known_any_more_finds_the_steps() -> None:
    response = browser().get("/kit/nobody")
    assert response.status_code == 404
    assert "The steps are the same." in text_of(response)
    assert 'id="look"' in response.content.decode()


def test_where_a_kit_lies_is_not_for_whoever_scans_its_sticker(night: SamsNight) -> None:
    kit = kits.add(Inside("nasal", 2, "", "", "under the red lamp"), person=night.person)
    typed = {"form": "nasal", "doses": "1", "place": "elsewhere"}
    browser(stranger=True).post(f"/kit/{kits.key_of(kit)}", typed)
    kit.refresh_from_db()
    assert kit.doses == 1
    assert kits.place_of(kit) == "under the red lamp"
