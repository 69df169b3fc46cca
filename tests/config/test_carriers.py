"""The addresses of carriers: what may be typed, and how a mistake is told."""

from __future__ import annotations

import pytest

from stillhere.config.carriers import CarrierError, leaves, read_carriers
from stillhere.config.environment import SettingError, read

TRUNK = "sip://a:swordfish@sip.example.org?from=+12025550100"
BOT = "telegram://lamp_bot:123456:AAE-swordfish_swordfish_555@api.telegram.org?per_s=20"
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


def test_a_whatsapp_sender_is_a_carrier_of_its_own() -> None:
    sid = "HX0123456789abcdef0123456789abcdef"
    texts, whatsapp = read_carriers(
        f"{TWILIO} whatsapp://AC1:swordfish@api.twilio.com?from=+12025550100&template={sid}"
        f"&template-es={sid}"
    )
    assert (whatsapp.name, whatsapp.carries) == ("whatsapp", ("whatsapp",))
    assert whatsapp.options["template"] == whatsapp.options["template-es"] == sid
    assert "whatsapp" not in texts.carries
    assert leaves(whatsapp) == "By whatsapp WhatsApp messages leave from +1 202-555-0100."


def test_a_bot_is_a_carrier_of_its_own() -> None:
    [bot] = read_carriers(BOT.partition("?")[0])
    assert (bot.name, bot.account, bot.carries) == ("telegram", "lamp_bot", ("telegram",))
    assert bot.secret == "123456:AAE-swordfish_swordfish_555"
    assert bot.per_s == 25, "Telegram takes thirty a second"
    assert read_carriers(BOT)[0].per_s == 20
    assert leaves(bot) == "By telegram Telegram messages leave from the bot lamp_bot."


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
        f"{TWILIO}&public_key=k",
        f"{TWILIO}&low=",
        f"{TWILIO}&low=5&low=6",
        f"{TWILIO}&name=house {TWILIO}&name=house",
        f"{TWILIO} {TWILIO}&name=twilio",
        "twilio://AC1:swordfish@api.twilio.com?from=",
        "twilio://AC1:swordfish@api twilio.com?from=+12025550100",
        f"{TRUNK} {TRUNK}",
        "whatsapp://AC1:swordfish@api.twilio.com",
        "whatsapp://AC1@api.twilio.com?from=+12025550100",
        "whatsapp://AC1:swordfish@api.twilio.com?from=+12025550100&only=text",
        "whatsapp://AC1:swordfish@api.twilio.com?from=+12025550100&template=hello",
        "whatsapp://AC1:swordfish@api.twilio.com?from=+12025550100&template-es=HX1",
        "whatsapp://AC1:swordfish@api.twilio.com?from=+12025550100&template_es=x",
        "telegram://lamp_bot@api.telegram.org",
        "telegram://lamp_bot:swordfish@api.telegram.org",
        "telegram://123456:AAE-swordfish_swordfish_555@api.telegram.org",
        f"{BOT}&only=text",
        f"{BOT} {BOT}&name=other",
        f"{TWILIO}&template=HX00000000000000000000000000000000",
    ],
)
def test_a_bad_address_is_one_sentence_without_the_secret(typed: str) -> None:
    with pytest.raises(CarrierError) as told:
        read_carriers(typed)
    assert "swordfish" not in str(told.value)
    with pytest.raises(SettingError, match="STILLHERE_CARRIERS: ") as setting:
        read({"STILLHERE_CARRIERS": typed})
    assert len(str(setting.value)) < 180


def test_a_secret_is_in_no_representation() -> None:
    assert "swordfish" not in repr(read({"STILLHERE_CARRIERS": TWILIO}))


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("2025550100", "US", "+12025550100"),
        ("12025550100", "US", "+12025550100"),
        ("202-555-0100", "US", "+12025550100"),
        ("(202)+555-0100", "US", "+12025550100"),
        ("(202) 555 0100", "US", "+12025550100"),
        ("+1 202 555 0100", "US", "+12025550100"),
        ("+1+202+555+0100", "GB", "+12025550100"),
        ("%2B1-202-555-0100", "GB", "+12025550100"),
        ("0012025550100", "GB", "+12025550100"),
        ("07400 123456", "GB", "+447400123456"),
        ("447400123456", "GB", "+447400123456"),
        ("55 5123 4567", "MX", "+525551234567"),
        ("1%20202%20555%200100", "CA", "+12025550100"),
    ],
)
def test_our_number_may_be_typed_any_way(typed: str, country: str, number: str) -> None:
    carriers = read_carriers(
        f"twilio://AC1:t@api.twilio.com?from={typed}&low=5  telnyx://A:k@api.telnyx.com"
        "?from=+12025550101&public_key=" + "A" * 43 + "=",
        country,
    )
    assert [carrier.sender for carrier in carriers] == [number, "+12025550101"]
    assert carriers[0].low == 5


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("2025550100", "GB"),  # once read as +20..., a number in Egypt
        ("447400123456", "US"),
        ("5550100", "US"),
        ("+12", "US"),
        ("+999123456789", "US"),
        ("911", "US"),
        ("202-555-0100 ext 5", "US"),
        ("Lamp", "US"),
    ],
)
def test_a_number_that_the_country_does_not_have_is_refused(typed: str, country: str) -> None:
    with pytest.raises(CarrierError, match=f"no number in {country}"):
        read_carriers(f"twilio://AC1:t@api.twilio.com?from={typed}", country)


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("twillio://AC1:t@api.twilio.com?from=+12025550100", "Did you mean twilio://?"),
        ("twilio://AC1:t@api.twilio.com?form=+12025550100", "Did you mean from=?"),
        ("telnyx://AC1:t@api.telnyx.com?publickey=x", "Did you mean public_key=?"),
    ],
)
def test_the_nearest_carrier_and_option_is_named(address: str, meant: str) -> None:
    with pytest.raises(SettingError) as told:
        read({"STILLHERE_CARRIERS": address})
    assert str(told.value).endswith(meant)


def test_what_leaves_from_where_is_shown_back() -> None:
    both, texts, phone = read_carriers(f"{TWILIO} {TWILIO}&only=text android://a:t@192.0.2.7?key=k")
    assert leaves(both) == "By twilio texts and calls leave from +1 202-555-0100."
    assert leaves(texts) == "By twilio-2 texts leave from +1 202-555-0100."
    assert leaves(phone) == "By android texts leave from the phone's own number."
