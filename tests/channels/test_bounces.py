"""Bounces that come back later, as the mail servers of this world write them."""

from __future__ import annotations

import base64
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stillhere.channels.email import EmailChannel, parse_bounce
from stillhere.core.messages import Fate, Inbound

OURS = EmailChannel("smtp://127.0.0.1", "lamp@example.org", clock=lambda: 0).message_id("w7-r1")


def mail(text: str) -> bytes:
    """Written as servers send it: their lines end in CRLF."""
    lines = textwrap.dedent(text).lstrip("\n").replace("OUR-ID", OURS)
    return lines.replace("\n", "\r\n").encode()


POSTFIX = """
    Return-Path: <>
    Date: Sat, 21 Nov 2026 22:12:09 +0000 (UTC)
    From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
    Subject: Undelivered Mail Returned to Sender
    To: lamp@example.org
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
    \tboundary="4F1A2B.1/mx.example.org"
    Message-Id: <20261121221209.4F1A2B@mx.example.org>

    This is a MIME-encapsulated message.

    --4F1A2B.1/mx.example.org
    Content-Description: Notification
    Content-Type: text/plain; charset=us-ascii

    I'm sorry to have to inform you that your message could not
    be delivered to one or more recipients.

    <leo@example.org>: host mail.example.org said: 550 5.1.1 User unknown

    --4F1A2B.1/mx.example.org
    Content-Description: Delivery report
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx.example.org
    X-Postfix-Queue-ID: 4F1A2B
    Arrival-Date: Sat, 21 Nov 2026 22:12:08 +0000 (UTC)

    Final-Recipient: rfc822; leo@example.org
    Original-Recipient: rfc822;leo@example.org
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; mail.example.org
    Diagnostic-Code: smtp; 550 5.1.1 User unknown

    --4F1A2B.1/mx.example.org
    Content-Description: Undelivered Message Headers
    Content-Type: text/rfc822-headers

    Return-Path: <lamp@example.org>
    From: Lamp <lamp@example.org>
    To: leo@example.org
    Subject: Lamp
    Message-ID: OUR-ID

    --4F1A2B.1/mx.example.org--
"""

EXIM = """
    Return-path: <>
    From: Mail Delivery System <Mailer-Daemon@mx.example.org>
    To: lamp@example.org
    References: OUR-ID
    Content-Type: multipart/report; report-type=delivery-status; boundary=1795212729-eximdsn-8
    MIME-Version: 1.0
    Subject: Mail delivery failed: returning message to sender
    Message-Id: <E1uQx7-0001Aa-0B@mx.example.org>

    --1795212729-eximdsn-8
    Content-type: text/plain; charset=us-ascii

    A message that you sent could not be delivered.

    --1795212729-eximdsn-8
    Content-type: message/delivery-status

    Reporting-MTA: dns; mx.example.org

    Action: failed
    Final-Recipient: rfc822;leo@example.org
    Status: 5.0.0

    --1795212729-eximdsn-8
    Content-type: message/rfc822

    Return-path: <lamp@example.org>
    Message-ID:
     OUR-ID
    Subject: Lamp

    This is about Sam.

    --1795212729-eximdsn-8--
"""

# A big provider: nested parts before the report, the id only in In-Reply-To and in a header
# block of its own.
BIG_PROVIDER = """
    From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>
    To: lamp@example.org
    Auto-Submitted: auto-replied
    Subject: Delivery Status Notification (Failure)
    In-Reply-To: OUR-ID
    Message-ID: <6920f0b1.050a@mail.example.com>
    Content-Type: multipart/report; boundary="000000000000a1"; report-type=delivery-status

    --000000000000a1
    Content-Type: multipart/related; boundary="000000000000a2"

    --000000000000a2
    Content-Type: text/html; charset="UTF-8"

    <p>Address not found</p>
    --000000000000a2--
    --000000000000a1
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mail.example.com
    Received-From-MTA: dns; lamp@example.org

    Final-Recipient: rfc822; leo@example.com
    Action: failed
    Status: 5.2.1 (mailbox disabled)
    Diagnostic-Code: smtp; 550-5.2.1 The account is disabled.

    --000000000000a1--
"""

DELAYED = POSTFIX.replace("Action: failed", "Action: delayed").replace("5.1.1", "4.4.1")
EXPIRED = POSTFIX.replace("Status: 5.1.1", "Status: 4.4.7")
SHOUTED = POSTFIX.replace("Action: failed", "ACTION:  Failed").replace("Status:", "status:")
DELIVERED = POSTFIX.replace("Action: failed", "Action: delivered").replace(
    "Status: 5.1.1", "Status: 2.0.0"
)
RELAYED = POSTFIX.replace("Action: failed", "Action: relayed")
SOMEBODY_ELSES = POSTFIX.replace("OUR-ID", "<20261121.1234@example.org>")
READ_RECEIPT = POSTFIX.replace("delivery-status", "disposition-notification")
HALF_OF_IT = POSTFIX[: POSTFIX.index("Remote-MTA")]

VACATION = """
    From: Maya <maya@example.org>
    To: lamp@example.org
    Subject: I am away
    Auto-Submitted: auto-replied
    In-Reply-To: OUR-ID

    Status: 5.1.1
    Action: failed
"""


def receipt(inbound: Inbound | None) -> tuple[Fate, str] | None:
    if inbound is None:
        return None
    assert inbound.receipt is not None
    assert (inbound.channel, inbound.kind) == ("email", "receipt")
    assert inbound.receipt.provider_ref == OURS
    return inbound.receipt.fate, inbound.receipt.why


@pytest.mark.parametrize(
    ("text", "fate", "why"),
    [
        (POSTFIX, Fate.FAILED, "bounced with 5.1.1"),
        (EXIM, Fate.FAILED, "bounced with 5.0.0"),
        (BIG_PROVIDER, Fate.FAILED, "bounced with 5.2.1"),
        (SHOUTED, Fate.FAILED, "bounced with 5.1.1"),
        (DELAYED, Fate.BUSY, "bounced with 4.4.1"),
        (EXPIRED, Fate.BUSY, "bounced with 4.4.7"),
    ],
)
def test_a_bounce_is_a_receipt(text: str, fate: Fate, why: str) -> None:
    assert receipt(parse_bounce(mail(text))) == (fate, why)
    assert receipt(parse_bounce(mail(text).replace(b"\r\n", b"\n"))) == (fate, why)


@pytest.mark.parametrize(
    "text",
    [DELIVERED, RELAYED, SOMEBODY_ELSES, READ_RECEIPT, HALF_OF_IT.replace("Status", "S"), VACATION],
)
def test_everything_else_is_none_of_our_bounces(text: str) -> None:
    assert parse_bounce(mail(text)) is None


def test_returned_headers_may_be_encoded() -> None:
    head, _, rest = POSTFIX.partition("    Return-Path: <lamp@example.org>")
    headers = base64.b64encode(f"Message-ID: {OURS}\r\nSubject: Lamp\r\n".encode()).decode()
    end = rest[rest.index("    --4F1A2B") :]
    encoded = head.rstrip() + f"\n    Content-Transfer-Encoding: base64\n\n    {headers}\n\n{end}"
    assert receipt(parse_bounce(mail(encoded))) == (Fate.FAILED, "bounced with 5.1.1")


def test_the_same_news_counts_once() -> None:
    first, again = parse_bounce(mail(POSTFIX)), parse_bounce(b"Received: by x\r\n" + mail(POSTFIX))
    later = parse_bounce(mail(DELAYED))
    assert first is not None
    assert again is not None
    assert later is not None
    assert first.provider_id == again.provider_id != later.provider_id


def test_a_bounce_with_a_huge_returned_mail_is_read_from_its_beginning() -> None:
    padding = b"A" * 76 + b"\r\n"
    assert receipt(parse_bounce(mail(POSTFIX) + padding * 40_000)) is not None


@given(st.binary(max_size=400), st.integers(0, 2_000), st.integers(0, 2_000))
@example(b"Content-Type: multipart/report; boundary=", 0, 0)
@example(b"\x00\xff\r\n\r\n", 0, 0)
def test_no_mail_of_a_stranger_makes_it_stumble(noise: bytes, start: int, length: int) -> None:
    whole = mail(POSTFIX)
    parse_bounce(noise)
    found = parse_bounce(whole[:start] + noise + whole[start + length :])
    assert found is None or found.kind == "receipt"
