"""Kits: entered in twenty seconds, by whoever carries them, or by whoever scans the sticker."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from stillhere.engine import letters
from stillhere.engine.audit import sweep_once
from stillhere.store import delivery, desk, kits, shifts
from stillhere.store.kits import Inside
from stillhere.store.models import Kit, Message
from stillhere.store.services import Problem
from tests.conftest import Clock
from tests.shell.circle import SamsNight
from tests.shell.web.conftest import browser, post
from tests.shell.web.pages import contact_path, read, text_of

NASAL = {"do": "add", "form": "nasal", "doses": "2", "expires": "05/2027"}


def stock() -> str:
    return f"/desk/{desk.key()}/stock"


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
        ("2027-05-31", "2027-05"), ("", ""), ("12 2026", "2026-12"),
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


def test_there_is_an_end_to_it(night: SamsNight) -> None:
    for _ in range(kits.MOST_KITS):
        kits.add(Inside("nasal", 2), person=night.person)
    with pytest.raises(Problem, match="as many kits"):
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
    response = browser().post(f"/desk/{desk.key()}/stickers.pdf", {"many": "12"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert Kit.objects.count() == 12
    told = read(browser(), f"/kit/{kits.key_of(Kit.objects.all()[0])}")
    assert "nobody has looked into it yet" in told
    for many in ("0", "31", "x", ""):
        refused = browser().post(f"/desk/{desk.key()}/stickers.pdf", {"many": many})
        assert refused.status_code == 422
        assert "A sheet holds 1 to 30 stickers." in text_of(refused)


# --- reminders ------------------------------------------------------------------------------------


def leaving(clock: Clock) -> list[tuple[str, str]]:
    found = delivery.lease("text", clock.now, 50, 20)
    return [(m.word, letters.render(m, m.to).text) for m in found if m.word.startswith("kit-")]


def test_its_keeper_hears_once_before_it_runs_out_and_once_when_it_was_used(
    night: SamsNight, clock: Clock
) -> None:
    Message.objects.all().delete()
    kit = kits.add(Inside("nasal", 2, "2026-04"), contact=night.contacts["Leo"])  # it is January
    sweep_once(clock.now)
    assert leaving(clock) == []
    clock.advance(30 * 86_400)
    for _ in range(3):
        sweep_once(clock.now)
    [(word, text)] = leaving(clock)
    assert word == "kit-soon"
    assert text == "What you carry for an emergency runs out soon. Our page says how to get more."
    Message.objects.all().delete()
    kits.used(kit)
    sweep_once(clock.now)
    assert leaving(clock) == [], "not while hands still shake"
    clock.advance(2 * 86_400)
    sweep_once(clock.now)
    assert [word for word, _ in leaving(clock)] == ["kit-used"]


def test_sam_s_own_is_told_to_sam(night: SamsNight, clock: Clock) -> None:
    kits.add(Inside("nasal", 2, "2026-02"), person=night.person)
    Message.objects.all().delete()
    assert kits.remind(clock.now) == 1
    [message] = delivery.lease("text", clock.now, 50, 20)
    assert letters.render(message, message.to).link.endswith("/kits")
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
    out = browser().get(f"/desk/{desk.key()}/kits.csv").content.decode("utf-8-sig")
    [row] = list(csv.DictReader(io.StringIO(out)))
    assert row["lot"] == "'-2+cmd()", "no spreadsheet runs it"
    changed = out.replace("nasal,2", "Nasal,1") + ",injection,3,2026-12,L9,,\n"
    assert "Kept." in text_of(upload("kits", b"\xef\xbb\xbf" + changed.encode()))
    found = Kit.objects.order_by("id").values_list("form", "doses", "lot")
    assert list(found) == [("nasal", 1, "-2+cmd()"), ("injection", 3, "L9")]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The file needs the columns form, doses and expires."),
        (b"\xff\xfe\x00", "The file is no text in UTF-8."),
        (b"a,b\n1,2\n", "The file needs the columns form, doses and expires."),
        (b"form,doses\nnasal,2\nnasal,x\n", "Row 3: Say how many doses are in it."),
        (b"form,doses,expires\nnasal,2,soon\n", "Row 2: Say the month it is good until"),
        (b"kit,form,doses\nnobody,nasal,2\n", "Row 2: There is no kit with this key."),
    ],
)
def test_a_file_with_a_fault_changes_nothing_and_names_the_row(body: bytes, says: str) -> None:
    response = upload("kits", body)
    assert response.status_code == 422
    assert says in text_of(response)
    assert not Kit.objects.exists()


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
