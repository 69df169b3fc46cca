"""Lists of kits that come in as a file: what is read, what is named, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from stillhere.store.installation import desk_key
from stillhere.store.kits import naloxone
from stillhere.store.models import Kit
from tests.web.conftest import browser
from tests.web.pages import text_of

pytestmark = pytest.mark.usefixtures("database")


def upload(body: bytes) -> Any:
    fields = {"do": "kits", "file": SimpleUploadedFile("kits.csv", body)}
    return browser().post(f"/desk/{desk_key.key()}/stock", fields, follow=True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"form,doses\n", "The file has only the names of its columns"),
        (b"form,doses\n\n,\nnasal,x\n", "Row 4: Say how many doses are in it."),
        (b"", "The file needs the columns form, doses and expires."),
        (b"\xff\xfe\x00", "This is no CSV file."),
        (
            b"Product,Doses\nNarcan,2\n",
            "It needs the column form. Is “product” what we call form? Then rename it.",
        ),
        (b"forms,dose\nnasal,2\n", "Is “forms” what we call form?"),
        (b"form,doses\nOpvee nalmefene spray,2\n", "Row 2: Say what kind of naloxone it is."),
        (b"form,doses,expires\nnasal,2,soon\n", "Row 2: Say the month it is good until"),
    ],
)
def test_a_file_with_a_fault_changes_nothing_and_names_the_row(body: bytes, says: str) -> None:
    response = upload(body)
    assert response.status_code == 422
    assert says in text_of(response)
    assert not Kit.objects.exists()


def test_a_row_that_cannot_be_is_named_and_the_others_come_in() -> None:
    """As a stock list is: names on boxes, a month under another name, and one row with a fault."""
    body = (
        "Form;Doses;Expiration Date;Lot #\r\n"
        "NARCAN® 4mg nasal spray;2;05/2027;A1\r\n"
        "Señora's kit;2;05/2027;\r\n"
        "Naloxone HCl vial 0.4 mg/mL;3;;\r\n"
        "naloxone nasal 8 mg;many;;\r\n"
    ).encode("windows-1252")
    told = text_of(upload(body))
    assert "Kits added: 2. Left out: 2." in told
    assert "Row 3: Say what kind of naloxone it is." in told
    assert "Row 5: Say how many doses are in it." in told
    assert {(k.form, k.doses, k.expires, k.lot) for k in Kit.objects.all()} == {
        ("nasal-4", 2, "2027-05", "A1"),
        ("injection", 3, "", ""),
    }


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("NARCAN 4mg nasal spray", "nasal-4"), ("Narcan® Nasal Spray 4 mg (2-pack)", "nasal-4"),
        ("Narcan 2 mg", "nasal"), ("naloxone nasal spray", "nasal"),
        ("Naloxone HCl 4 mg Nasal Spray", "nasal-4"), ("RiVive 3mg", "nasal-3"),
        ("Kloxxado 8 mg spray", "nasal-8"), ("spray nasal de naloxona 4 mg", "nasal-4"),
        ("Nyxoid 1,8 mg", "nyxoid"), ("Naloxone 0.4 mg/mL vial", "injection"),
        ("naloxone IM 0.4mg", "injection"), ("ampolletas de naloxona", "injection"),
        ("Prenoxad Injection", "prenoxad"), ("Opvee 2.7 mg nasal spray", ""),
        ("naloxone", ""), ("spray", ""), ("gloves", ""),
    ],
)  # fmt: skip
def test_what_stands_on_a_box_is_understood(typed: str, form: str) -> None:
    assert naloxone.form(typed) == form
