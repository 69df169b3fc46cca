"""The addresses of carriers: what may be typed, and how a mistake is told."""

from __future__ import annotations

import pytest

from stillhere.config.carriers import CarrierError, read_carriers
from stillhere.config.environment import SettingError, read

TWILIO = "twilio://AC1:swordfish@api.twilio.com?from=+12025550100"


def test_several_carriers_are_read_in_their_order() -> None:
    first, second, phone, trunk = read_carriers(
        f"{TWILIO}&per_s=1.5&low=5\n"
        "twilio+http://AC2:t@127.0.0.1:8200/sub/?from=%2B12025550101&only=text\n"
        "android+http://ana:t@192.168.1.20:8080?key=k "
        "sip://lamp:t@sip.example.org?from=+12025550100&name=house&listen=5070"
    )
    assert (first.name, first.base_url, first.sender) == (
        "twilio",
        "https://api.twilio.com",
        "+12025550100",
    )
    assert (first.account, first.secret, first.per_s, first.low) == ("AC1", "swordfish", 1.5, 5)
    assert first.carries == ("text", "call")
    assert (second.name, second.base_url) == ("twilio-2", "http://127.0.0.1:8200/sub")
    assert (second.sender, second.carries) == ("+12025550101", ("text",))
    assert (phone.carries, phone.options["key"]) == (("text",), "k")
    assert (trunk.name, trunk.carries) == ("house", ("call",))
    assert trunk.options["listen"] == "5070"


@pytest.mark.parametrize(
    "typed",
    [
        "api.twilio.com",
        "pigeon://a:swordfish@example.org?from=+12025550100",
        "twilio://AC1:swordfish@?from=+12025550100",
        "twilio://AC1:swordfish@api.twilio.com:port?from=+12025550100",
        "twilio://AC1:swordfish@api.twilio.com",
        "twilio://AC1@api.twilio.com?from=+12025550100",
        "twilio://AC1:swordfish@api.twilio.com?from=555-0100",
        f"{TWILIO}&colour=red",
        f"{TWILIO}&per_s=0",
        f"{TWILIO}&low=much",
        f"{TWILIO}&only=smoke",
        f"{TWILIO}&name=Ruth's",
        "twilio+http://AC1:swordfish@api.twilio.com?from=+12025550100",
        "android://ana:swordfish@phone.lan?only=call",
        "android://ana:swordfish@phone.lan",
        "telnyx://AC1:swordfish@api.telnyx.com?from=+12025550100",
        "telnyx://AC1:swordfish@api.telnyx.com?from=+12025550100&public_key=zzz",
        "sip://lamp:sword#fish@sip.example.org?from=+12025550100",
        "sip://lamp:swordfish@sip.example.org?from=+12025550100&listen=8421",
        "sip://lamp:swordfish@sip.example.org?from=+12025550100&port=5060&listen=5060",
        "sip://[::1",
        "sip://lamp:swordfish@sip.example.org",
        "sip://lamp:swordfish%22;x@sip.example.org?from=+12025550100",
        "sip://la%0Amp:swordfish@sip.example.org?from=+12025550100",
        "sip://lamp:swordfish@sip.example.org?from=+12025550100&listen=0",
        "sip://lamp:swordfish@sip.example.org?from=+12025550100&port=99999",
        "sip://lamp:swordfish@sip.example.org?from=+12025550100&port=x",
    ],
)
def test_a_bad_address_is_one_sentence_without_the_secret(typed: str) -> None:
    with pytest.raises(CarrierError) as told:
        read_carriers(typed)
    assert "swordfish" not in str(told.value)
    with pytest.raises(SettingError, match="STILLHERE_CARRIERS: ") as setting:
        read({"STILLHERE_CARRIERS": typed})
    assert len(str(setting.value)) < 160


def test_a_secret_is_in_no_representation() -> None:
    assert "swordfish" not in repr(read({"STILLHERE_CARRIERS": TWILIO}))
