"""Phone numbers: from what a person types to the one form we store.

Owns the sentences that say what is wrong with a number, and what a number can do as far as its
country's plan tells. Asks nobody: no look-up, no network.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from stillhere.channels.base import AddressError, gettext_noop

# What ``normalise_number`` makes. Sending looks at the form only, so that it costs next to nothing.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# What carriers put in the place of a number that was withheld: letters, or these, which nobody has.
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"})

_NOT_A_NUMBER = gettext_noop("Type a phone number with its area code, like 202-555-0101.")
_UNKNOWN_AREA = gettext_noop(
    "We do not know this area code. If it is a new one, type the number again with +1 before it."
)
_TOO_SHORT = gettext_noop("This number is too short. Type all of it, with the area code.")
_TOO_LONG = gettext_noop("This number is too long. Look for a digit too many.")
_NO_COUNTRY = gettext_noop(
    "No country has this code after the +. Start with + and the country code, like +1 202-555-0101."
)
_NO_EXTENSION = gettext_noop(
    "We cannot dial an extension. Type a number that rings on the phone itself."
)
_NOT_TO_CALL = gettext_noop(
    "This number costs extra, as satellite phones do, or is not for people. "
    "Type the number of a person's own phone."
)
_ABROAD = gettext_noop(
    "We cannot text or call numbers in that country. Type a local number, or an e-mail address."
)
_NO_TEXTS = gettext_noop(
    "This is the number of a landline: it can ring, but take no texts. Choose a call."
)

_LENGTH_ERRORS = {
    ValidationResult.TOO_SHORT: _TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _TOO_SHORT,
    ValidationResult.TOO_LONG: _TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: _NO_COUNTRY,
}
_UNFIT_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PERSONAL_NUMBER,  # follow-me numbers, a favourite of those who earn by calls
}
_DIGITS = re.compile(r"\+?[0-9][0-9 ().\-/]{5,30}|\([0-9][0-9 ().\-/]{5,30}")
# Form of a number in North America; 911 and its like are no area codes, nor is 555 one.
_AMERICAN = re.compile(r"\+1((?!.11|555)[2-9][0-9]{2})(?!.11)[2-9][0-9]{6}")
# Mobiles in Mexico had a 1 before their ten digits until 2019. People still type it, and WhatsApp
# still puts it into the number of a sender (github.com/chatwoot/chatwoot/pull/14926 shows both of
# its companies doing so); the table of numbers does not know it. Argentina's 9 is no such thing:
# there the table has it, and makes it of the 15 that people type.
_OLD_MEXICAN = "+521"
_OLD_MEXICAN_E164 = re.compile(r"\+521[0-9]{10}")
_MEXICO, _OLD_ONE = 52, 10**10
MOST_ZONES = 3  # of one area code; more is a whole country
_NOWHERE = "001"  # satellite phones and world-wide services, as phonenumbers calls their country


def normalise_number(
    typed: str, region: str = "US", countries: Collection[str] | None = None
) -> str:
    """A phone number as E.164 (``+12025550101``). ``region`` is the country of a number without +;
    one that begins with 00, as most of the world dials abroad, is taken as one with +. An American
    area code that is younger than our table is asked back once: with +1 before it, it is taken.
    ``countries`` are those whose numbers may be reached, None: all. A satellite phone never is.

    Raises ``AddressError``. Emergency and other short numbers never pass: no machine calls them.
    """
    number = _possible(typed.strip()[:64], region)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number):
        _know_area(e164, sure="+" in typed or typed.strip().startswith("00"))
    where = phonenumbers.region_code_for_number(number)
    if where == _NOWHERE or phonenumbers.number_type(number) in _UNFIT_TYPES:
        raise AddressError(_NOT_TO_CALL)
    if not in_reach(e164, countries):
        raise AddressError(_ABROAD)
    return e164


def _know_area(e164: str, *, sure: bool) -> None:
    """Raises AddressError for a number that our table does not know, unless it may be of a new area
    code and somebody is ``sure`` of it."""
    area = _AMERICAN.fullmatch(e164)
    if area is None or phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area[1]}5550100")):
        raise AddressError(_NOT_A_NUMBER)
    if not sure:
        raise AddressError(_UNKNOWN_AREA)


def _possible(typed: str, region: str) -> phonenumbers.PhoneNumber:
    """A number whose length its country knows."""
    try:
        number = phonenumbers.parse(f"+{typed[2:]}" if typed.startswith("00") else typed, region)
    except NumberParseException as error:
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        raise AddressError(_NO_COUNTRY if unknown else _NOT_A_NUMBER) from None
    digits = number.national_number or 0
    if number.country_code == _MEXICO and digits // _OLD_ONE == 1:
        number.national_number = digits - _OLD_ONE
    if number.extension:
        raise AddressError(_NO_EXTENSION)
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        raise AddressError(_LENGTH_ERRORS.get(length, _NOT_A_NUMBER))
    return number


def our_own(typed: str, region: str) -> str:
    """A number of ours at a carrier as E.164, typed any way. ``region`` is the country of one
    without + or 00, which then must be a number there; of one with it only the length is judged,
    because carriers give out numbers that no table knows yet.

    Raises ``AddressError``.
    """
    typed = typed.strip()[:64]
    number = _possible(typed, region)
    abroad = typed.startswith(("+", "00"))
    if not abroad and not phonenumbers.is_valid_number(number):
        raise AddressError(_NOT_A_NUMBER)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def of_sender(told: str, region: str) -> str:
    """The number that something came from, as E.164, however its carrier writes it; ``region`` is
    the country of one without + or 00. What is no number there, like a short code or a name, stays
    as it is: letters beside the digits of somebody's number would answer for them."""
    if told.startswith(_OLD_MEXICAN) and _OLD_MEXICAN_E164.fullmatch(told):
        return f"+{_MEXICO}{told[len(_OLD_MEXICAN) :]}"
    if E164.fullmatch(told) or told in WITHHELD or not _DIGITS.fullmatch(told):
        return told
    try:
        number = _possible(told.strip()[:64], region)
    except AddressError:
        return told
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def time_zone_of(e164: str) -> str:
    """The time zone in which a number probably is, by its country and area code, as an IANA name;
    UTC where nobody can say. Some area codes lie in a few: the first of them."""
    from phonenumbers import timezone  # noqa: PLC0415  half a megabyte

    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(e164))
    except NumberParseException:
        return "UTC"
    known = [zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE]
    return known[0] if 0 < len(known) <= MOST_ZONES else "UTC"


def spaced(e164: str) -> str:
    """A number as people read it, like ``+1 202-555-0100``."""
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(phonenumbers.parse(e164), form)


def shown(caller: str) -> str:
    """The number somebody rings or writes from, or nothing where it is withheld or is none."""
    return caller if E164.fullmatch(caller) and caller not in WITHHELD else ""


def in_reach(e164: str, countries: Collection[str] | None) -> bool:
    """Whether somebody who wrote to us or rang us may be texted and rung: their number is of one of
    these ``countries``, None: of any, and costs no more than others. One that no table knows yet
    counts by its country code. A satellite phone never may."""
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return False
    if phonenumbers.number_type(number) in _UNFIT_TYPES:
        return False
    where = phonenumbers.region_code_for_number(number)
    code = number.country_code or 0
    regions = [where] if where else phonenumbers.region_codes_for_country_code(code)
    if countries is None:
        return any(region != _NOWHERE for region in regions)
    return any(region in countries for region in regions)


def normalise_for_texts(
    typed: str, region: str = "US", countries: Collection[str] | None = None
) -> str:
    """The same for a number that has to take texts: a landline is refused with a kind sentence."""
    e164 = normalise_number(typed, region, countries)
    if phonenumbers.number_type(phonenumbers.parse(e164)) == PhoneNumberType.FIXED_LINE:
        raise AddressError(_NO_TEXTS)
    return e164
