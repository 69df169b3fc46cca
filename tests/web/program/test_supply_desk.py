"""Warnings about the supply at the desk: posted by hand, taken from files, taken back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from stillhere.store.installation import desk_key
from stillhere.store.kits import supply_warnings
from stillhere.store.kits.supply_warnings import ReportedWarning
from stillhere.store.models import SupplyWarning
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import read, text_of

pytestmark = pytest.mark.usefixtures("database")

# The columns of the Street Drug Analysis Lab's published dataset, and a made-up row or three.
LAB = """sampleid,date_collect,location,state,expectedsubstance,primary,trace
s1,2026-01-20,Example County,NC,heroin,fentanyl; medetomidine,xylazine
s2,2026-01-21,Example County,NC,cocaine,cocaine,
s3,2024-01-21,Example County,NC,heroin,fentanyl,
"""


def stock() -> str:
    return f"/desk/{desk_key.key()}/stock"


def upload(name: str, body: bytes) -> Any:
    file = SimpleUploadedFile(name, body)
    fields = {"do": "warn-file", "file": file, "source": "Example Lab"}
    return browser().post(stock(), fields, follow=True)


def test_a_coordinator_posts_one_and_takes_it_back(clock: Clock) -> None:
    fields = {"do": "warn", "area": "Example County", "text": "Stronger now.", "source": "Ruth"}
    assert browser().post(stock(), {**fields, "days": "x"}).status_code == 422
    response = browser().post(stock(), {**fields, "text": "", "days": "7"})
    assert response.status_code == 422
    assert 'value="Example County"' in response.content.decode(), "nothing typed is lost"
    nobody = browser().post(stock(), {**fields, "source": " ", "days": "7"})
    assert "Say who says so, so that others can ask." in text_of(nobody)
    assert browser().post(stock(), {**fields, "days": "7"}).status_code == 303
    found = SupplyWarning.objects.get()
    assert (found.ends_at - clock.now) // 86_400_000 == 7
    browser().post(stock(), {"do": "back", "warning": str(found.id)})
    assert not supply_warnings.current(clock.now)
    again = browser().post(stock(), {"do": "back", "warning": str(found.id)}, follow=True)
    assert "Taken back" not in text_of(again), "it was over"
    fields["days"] = "7"
    browser().post(stock(), fields)
    assert "stands there already" in text_of(browser().post(stock(), fields, follow=True))
    assert len(supply_warnings.current(clock.now)) == 1, "posted anew it holds, once"


def test_a_lab_s_file_gives_what_is_new_and_surprises(clock: Clock) -> None:
    told = text_of(upload("analysis_dataset.csv", LAB.encode()))
    assert "Taken in: 1." in told
    assert "Left out, nothing in it that surprises: 1." in told
    assert "Left out, older than 60 days: 1." in told
    assert "Known already: 1." in text_of(upload("analysis_dataset.csv", LAB.encode()))
    found = SupplyWarning.objects.get()
    assert found.text == "heroin: fentanyl; medetomidine; xylazine"
    assert (found.area, found.found_on, found.ref) == (
        "Example County",
        "2026-01-20",
        "Example Lab/s1",
    )


def test_json_is_read_too(clock: Clock) -> None:
    rows = [
        {"date": "01/25/2026", "city": "Denver", "text": "Nitazenes."},
        {"date": "", "city": ""},
    ]
    for told in (rows, {"results": rows}):
        assert upload("r.json", json.dumps(told).encode()).status_code == 200
    assert SupplyWarning.objects.get().area == "Denver"


def test_of_several_lists_the_one_with_results_is_read(clock: Clock) -> None:
    told = {"meta": [1], "results": [{"date": "2026-01-25", "city": "Denver", "text": "Stronger."}]}
    upload("r.json", json.dumps(told).encode())
    assert [each.area for each in supply_warnings.current(clock.now)] == ["Denver"]


def test_no_field_can_carry_what_no_database_can(clock: Clock) -> None:
    row = {"date": "2026-01-25", "city": "Den\ud800ver", "text": "Xyl\ud800azine", "id": "\ud800"}
    assert "Taken in: 1." in text_of(upload("r.json", json.dumps([row]).encode()))
    assert supply_warnings.current(clock.now)[0].area == "Denver"
    assert browser().get("/warnings.atom").status_code == 200


@pytest.mark.parametrize(
    ("sold", "holds", "worth"),
    [
        ("cocaine", "no fentanyl detected", False),
        ("fentanyl", "Fentanyl", False),
        ("fentanyl", "fentanyl; xylazine", True),
        ("heroin", "without xylazine; fentanyl", True),
        ("", ["fentanyl", {"a": "xylazine"}], True),
        ("cocaine", "fentanyl: not detected", False),
        ("cocaine", "fentanyl: negative", False),
        ("cocaine", "fentanyl and xylazine (negative)", False),
        ("cocaine", "negative for fentanyl, xylazine or nitazenes", True),
        ("cocaine", "Fentanyl ND; xylazine was not found", False),
        ("cocaine", "fentanyl 0%, xylazine: 0", False),
        ("cocaine", "fentanyl 0.4%", True),
        ("cocaine", "fentanyl positive xylazine negative", True),
        ("cocaine", "not cocaine but fentanyl", True),
        ("cocaine", "fentanyl, not expected", True),
        ("cocaine", "sin fentanilo ni xilacina", False),
        ("cocaína", "fentanilo: positivo", True),
        ("fentanilo", "Fentanyl", False),
    ],
)
def test_what_is_not_there_or_was_expected_is_no_warning(
    clock: Clock, sold: str, holds: object, worth: bool
) -> None:
    row = {"date": "2026-01-25", "city": "Denver", "sold_as": sold, "results": holds}
    upload("r.json", json.dumps([row]).encode())
    found = supply_warnings.current(clock.now)
    assert bool(found) == worth
    assert not any("{" in each.text for each in found)


def test_columns_of_0_and_1_are_read(clock: Clock) -> None:
    """As the Street Drug Analysis Lab publishes them."""
    told = text_of(
        upload(
            "lab.csv",
            b"sampleid,location,date_collect,expectedsubstance,primary,trace,lab_null,"
            b"lab_num_substances,lab_fentanyl,lab_fentanyl_any,lab_xylazine_trace,lab_cocaine,"
            b"lab_common_cuts_any\n"
            b"p1,Example County,28Jan2026,Percocet,1,1,0,3,1,1,1,0,1\n"
            b"p2,Example County,29Jan2026,cocaine,1,0,0,1,0,0,0,1,1\n",
        )
    )
    assert "Taken in: 1. Left out, nothing in it that surprises: 1." in told
    assert [w.text for w in supply_warnings.current(clock.now)] == ["Percocet: fentanyl; xylazine"]


# Beside the project where it is built; not on a public clone.
PUBLISHED = Path(__file__).resolve().parents[4] / "shared/data/supply"


def test_a_laboratory_s_published_rows_are_understood(clock: Clock) -> None:
    """Its own file where it is at hand, as if it were of last week; the test above has its
    columns."""
    for file in PUBLISHED.glob("unc_*.csv"):
        rows = re.sub(rb"[0-9]{2}[A-Z][a-z]{2}2021", b"25Jan2026", file.read_bytes())
        told = text_of(upload("lab.csv", rows))
        assert "Taken in: 3. Left out, nothing in it that surprises: 2." in told
        assert {w.text.partition(":")[0] for w in supply_warnings.current(clock.now)} == {
            "heroin; fentanyl", "heroin", "Percocet",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("Date,Ort,Finding", "It needs one of these: area, location, city, town"),
        ("yr_mo,Pct_Lab_Fent_Pos", "It needs one of these: found_on, date_collect, date"),
        ("date,citty,text", "Is “citty” what we call city? Then rename it."),
    ],
)
def test_columns_that_are_not_known_are_named_with_those_that_are(head: str, says: str) -> None:
    response = upload("r.csv", f"{head}\n1,2,3\n".encode())
    assert response.status_code == 422
    assert "The file has the columns “" in text_of(response)
    assert says in text_of(response)


def test_a_town_and_a_finding_are_a_place_and_what_was_found(clock: Clock) -> None:
    upload("r.csv", b"Date,Town,Finding\n2026-01-25,Denver,fentanyl\n")
    assert [w.text for w in supply_warnings.current(clock.now)] == ["fentanyl"]


@pytest.mark.parametrize(
    "body",
    [
        b"date,city,text\r2026-01-20,Denver,Stronger.\r",
        "date\tcity\ttext\r\n2026-01-20\tDenver\tStronger.\r\n".encode("utf-16"),
    ],
)
def test_files_of_older_spreadsheets_are_read(clock: Clock, body: bytes) -> None:
    upload("r.csv", body)
    assert [each.area for each in supply_warnings.current(clock.now)] == ["Denver"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_spreadsheets_put_one_of_three_signs_between(clock: Clock, between: str) -> None:
    lines = [("date", "city", "text"), ("20-Jan-2026", "Denver", "Stronger."), ("", "", "")]
    upload("r.csv", "\r\n".join(map(between.join, lines)).encode("utf-8-sig"))
    assert [each.found_on for each in supply_warnings.current(clock.now)] == ["2026-01-20"]


def test_a_file_with_nothing_but_names_of_columns_is_told_so(clock: Clock) -> None:
    assert "only the names of its columns" in text_of(upload("r.csv", b"date,city,text\n"))


def test_one_row_that_cannot_be_is_named_and_the_others_stand(clock: Clock) -> None:
    rows = (
        "date,city,text\n1/20/26 10:00,Denver,One.\n\n,,\n2026-06-01,Denver,Two.\nsoon,Denver,3\n"
    )
    told = text_of(upload("r.csv", rows.encode()))
    assert "Taken in: 1." in told
    assert "Left out, with a day to come: 1 (rows 5)." in told
    assert "Left out, no day, place or finding that we can read: 1 (rows 6)." in told


def lab_rows(many: int, day: str, ref: str = "s") -> bytes:
    rows = [f"{ref}{no},{day},Town {no},NC,heroin,fentanyl {ref}," for no in range(many)]
    return "\n".join([LAB.splitlines()[0], *rows]).encode()


def test_a_large_file_ends_no_warning_of_ours_and_says_what_it_left(clock: Clock) -> None:
    by_hand = ReportedWarning(
        "", "Example County", "Xylazine in pressed pills.", "Ruth", "2026-01-30"
    )
    supply_warnings.post(by_hand)
    told = text_of(upload("r.csv", lab_rows(supply_warnings.MOST_KEPT + 100, "2026-01-20")))
    assert f"Taken in: {supply_warnings.MOST_KEPT}." in told
    assert "Left out, there is no room and newer ones stay: 100." in told
    assert SupplyWarning.objects.filter(text=by_hand.text, ends_at__gt=clock.now).exists()
    told = text_of(upload("r.csv", lab_rows(30, "2026-01-25", "t")))
    assert "Taken in: 30. Older ones that ended to make room: 30." in told
    assert len(supply_warnings.current(clock.now)) == supply_warnings.MOST_KEPT + 1


def test_a_person_reads_a_few_of_each_place_the_newest_first(clock: Clock) -> None:
    for no in range(10, 20):
        supply_warnings.post(ReportedWarning("", "Denver", f"Batch {no}.", "", f"2026-01-{no}"))
    supply_warnings.post(ReportedWarning("", "Boulder", "Other.", "", "2026-01-12"))
    told = read(browser(), "/before")
    assert told.index("Batch 19.") < told.index("Batch 15.") < told.index("Other.")
    assert "Batch 14." not in told
    assert "5 more, older or elsewhere, are not shown here." in told


@pytest.mark.parametrize(
    ("area", "town", "is_near"),
    [
        ("Denver", "Denver, Colorado", True), ("Denver County", "denver", True),
        ("Denver, CO", "Denver, Colorado", True), ("CO", "Denver, CO", True),
        ("Springfield, IL", "Springfield, MA", False), ("Durham", "Denver", False),
        ("Denver", "", False), ("", "Denver", False), ("Denver", "-", False),
    ],
)  # fmt: skip
def test_a_place_is_somebody_s_town(area: str, town: str, is_near: bool) -> None:
    assert supply_warnings.near(area, town) is is_near


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b"[" * 5000, b"a,b\n1,2\n", b'[1, "x", null]', b'{"a": 1}', b"\x00"],
)
def test_a_file_that_is_none_is_said_kindly(body: bytes) -> None:
    response = upload("x.csv", body)
    assert response.status_code == 422
    assert "file" in text_of(response).lower()
    assert not SupplyWarning.objects.exists()


def test_a_report_of_another_kind_in_the_address_is_no_report() -> None:
    """What was signed for kits says nothing about warnings, and the other way round."""
    body = SimpleUploadedFile("kits.csv", b"form,doses\nnasal,2\n")
    kits = browser().post(stock(), {"do": "kits", "file": body})["Location"].partition("kits=")[2]
    file = SimpleUploadedFile("lab.csv", LAB.encode())
    fields = {"do": "warn-file", "file": file, "source": "Example Lab"}
    taken = browser().post(stock(), fields)["Location"].partition("taken=")[2]
    assert kits
    assert taken
    plain = read(browser(), stock())
    for given in ({"kits": taken}, {"taken": kits}, {"kits": "a\x00:b"}, {"taken": "9" * 5_000}):
        response = browser().get(stock(), given)
        assert response.status_code == 200
        assert text_of(response) == plain
