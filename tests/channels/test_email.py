"""E-mail beyond the contract: what every reply means, the mail itself, TLS, connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import email.utils
import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stillhere.channels.base import AddressError, Outgoing
from stillhere.channels.email import NEUTRAL_SUBJECT, EmailChannel
from stillhere.core.messages import Fate, Receipt
from tests.channels.rigs import MAIL_FROM, NOW_MS, EmailRig
from tests.channels.scripted_smtp import CUT, HANG, ScriptedSmtp

MESSAGE = Outgoing(
    key="w7-r1-c3-1",
    to="maya@example.org",
    text="This is about Sam. Sam's phone has not been answered since 22:12.",
    link="https://lamp.example.org/a/Zt4fJq8x2mZk0YpTtV",
    reply_ref="m12",
)


def channel_to(url: str, *, deadline_s: float = 5.0, secret: bytes = b"k") -> EmailChannel:
    return EmailChannel(url, MAIL_FROM, clock=lambda: NOW_MS, secret=secret, deadline_s=deadline_s)


@pytest.mark.parametrize(
    ("verb", "answer", "fate"),
    [
        # before the text is on its way, nothing can have arrived
        ("GREETING", HANG, Fate.BUSY),
        ("GREETING", CUT, Fate.BUSY),
        ("GREETING", "good evening", Fate.BUSY),
        ("GREETING", "554 5.7.1 no", Fate.BUSY),
        ("GREETING", "421 4.3.2 closing", Fate.BUSY),
        ("MAIL", HANG, Fate.BUSY),
        ("MAIL", CUT, Fate.BUSY),
        ("RCPT", HANG, Fate.BUSY),
        ("RCPT", CUT, Fate.BUSY),
        ("RCPT", "certainly", Fate.BUSY),
        # a refused sender is trouble of ours and says nothing about Maya
        ("MAIL", "550 5.7.1 who are you", Fate.BUSY),
        ("MAIL", "530 5.7.0 log in first", Fate.BUSY),
        # a word about this recipient, or about this text
        ("RCPT", "550 5.1.1 no such mailbox", Fate.FAILED),
        ("RCPT", "553 5.1.3 bad syntax", Fate.FAILED),
        ("RCPT", "450 4.2.1 mailbox busy", Fate.BUSY),
        ("RCPT", "452 4.2.2 mailbox full", Fate.BUSY),
        ("RCPT", "421 4.7.0 too many", Fate.BUSY),
        ("DATA", "554 5.7.1 refused", Fate.FAILED),
        ("DATA", "451 4.3.0 later", Fate.BUSY),
        ("TEXT", "552 5.3.4 too big", Fate.FAILED),
        ("TEXT", "452 4.3.1 no room", Fate.BUSY),
        # from here on nobody knows
        ("DATA", CUT, Fate.UNKNOWN),
        ("DATA", HANG, Fate.UNKNOWN),
        ("TEXT", CUT, Fate.UNKNOWN),
        ("TEXT", HANG, Fate.UNKNOWN),
        ("TEXT", "thank you", Fate.UNKNOWN),
        ("TEXT", "354 go on", Fate.UNKNOWN),
        ("TEXT", "250 2.0.0 queued", Fate.ACCEPTED),
    ],
)
def test_what_every_reply_means(verb: str, answer: str, fate: Fate) -> None:
    async def story() -> Receipt:
        server = ScriptedSmtp({verb: answer})
        async with server.serving() as port:
            channel = channel_to(f"smtp://127.0.0.1:{port}", deadline_s=0.2)
            receipt = await channel.send(MESSAGE)
            await channel.close()
            return receipt

    receipt = asyncio.run(story())
    assert receipt.fate is fate
    assert receipt.provider_ref.startswith("<lamp.")
    if fate is Fate.FAILED:
        assert receipt.why == f"mail server said {answer[:9]}"


def test_the_mail_itself_says_who_wrote_it_and_nothing_more() -> None:
    async def story() -> bytes:
        async with EmailRig() as rig:
            assert (await rig.channel().send(MESSAGE)).fate is Fate.ACCEPTED
            return rig.received()[0].raw

    raw = asyncio.run(story())
    raw.decode("ascii")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    wanted = {
        "From": "Lamp <lamp@example.org>",
        "To": "maya@example.org",
        "Subject": NEUTRAL_SUBJECT,
        "Date": email.utils.formatdate(NOW_MS / 1000),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "en",
    }
    assert {name: mail[name] for name in wanted} == wanted
    expected = {*wanted, "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
    assert set(mail.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} == expected
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().split() == f"{MESSAGE.text} {MESSAGE.link}".split()


def test_message_ids_are_stable_and_cannot_be_guessed() -> None:
    ours = channel_to("smtp://127.0.0.1", secret=b"ours")
    same = channel_to("smtp://127.0.0.1", secret=b"ours")
    other = channel_to("smtp://127.0.0.1", secret=b"another")
    assert ours.message_id("w7") == same.message_id("w7")
    assert len({ours.message_id("w7"), ours.message_id("w8"), other.message_id("w7")}) == 3
    assert "w7" not in ours.message_id("w7")


def test_one_connection_serves_many_mails() -> None:
    async def story() -> int:
        async with EmailRig() as rig:
            channel = rig.channel()
            for number in range(5):
                to = rig.dead if number == 2 else rig.good
                await channel.send(Outgoing(key=str(number), to=to, text="still here?"))
            assert len(rig.received()) == 4
            return rig.connections

    assert asyncio.run(story()) == 1


@pytest.mark.parametrize("stale", [CUT, HANG, "500 what"])
def test_a_connection_that_died_in_the_meantime_costs_nothing(stale: str) -> None:
    async def story() -> None:
        server = ScriptedSmtp({"RSET": stale})
        async with server.serving() as port:
            channel = channel_to(f"smtp://127.0.0.1:{port}", deadline_s=0.4)
            for key in ("1", "2"):
                receipt = await channel.send(Outgoing(key=key, to=MESSAGE.to, text="still here?"))
                assert receipt.fate is Fate.ACCEPTED
            await channel.close()
        assert server.connections == 2

    asyncio.run(story())


def test_a_server_that_dribbles_is_held_to_one_deadline() -> None:
    async def story() -> None:
        server = ScriptedSmtp({}, pause_s=0.04)
        async with server.serving() as port:
            channel = channel_to(f"smtp://127.0.0.1:{port}", deadline_s=0.1)
            assert (await channel.send(MESSAGE)).fate is Fate.BUSY
            await channel.close()

    asyncio.run(story())


def test_the_password_is_given_and_a_wrong_one_is_our_own_trouble() -> None:
    async def story(answer: str) -> tuple[Receipt, list[str]]:
        server = ScriptedSmtp({"EHLO": "250-hello\r\n250 AUTH PLAIN", "AUTH": answer})
        async with server.serving() as port:
            channel = channel_to(f"smtp://ruth%40example.org:p%3Aw@127.0.0.1:{port}")
            receipt = await channel.send(MESSAGE)
            await channel.close()
            return receipt, server.heard

    receipt, heard = asyncio.run(story("235 2.7.0 ok"))
    assert receipt.fate is Fate.ACCEPTED
    assert "AUTH PLAIN AHJ1dGhAZXhhbXBsZS5vcmcAcDp3" in heard
    receipt, _ = asyncio.run(story("535 5.7.8 wrong"))
    assert receipt.fate is Fate.BUSY
    assert receipt.why == "mail server said 535 5.7.8"


# --- TLS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TlsRig(EmailRig):
    """The SMTP server with TLS: offered and required, or from the first byte."""

    def __init__(self, certificate: Path, scheme: str) -> None:
        super().__init__()
        self.scheme = scheme
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)

    async def start(self) -> None:
        wrap = self.scheme == "smtps"
        self.server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                self,
                hostname="mail.example.org",
                tls_context=None if wrap else self.tls,
                require_starttls=not wrap,
            ),
            "127.0.0.1",
            0,
            ssl=self.tls if wrap else None,
        )
        self.port = self.server.sockets[0].getsockname()[1]
        self.stack.push_async_callback(self.stop_listening)

    def make(self, deadline_s: float) -> EmailChannel:
        return channel_to(f"{self.scheme}://localhost:{self.port}", deadline_s=deadline_s)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls", "smtp"])
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_checked_where_it_is_asked_for(
    scheme: str, trusted: bool, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def story() -> tuple[Receipt, int]:
        async with TlsRig(certificate, scheme) as rig:
            receipt = await rig.channel().send(MESSAGE)
            return receipt, len(rig.received())

    receipt, arrived = asyncio.run(story())
    # smtp:// takes the TLS it is offered from anyone: it keeps out those who only listen.
    if trusted or scheme == "smtp":
        assert (receipt.fate, arrived) == (Fate.ACCEPTED, 1)
    else:
        assert (receipt.fate, arrived) == (Fate.BUSY, 0)


def test_starttls_that_is_not_offered_sends_nothing_in_clear() -> None:
    async def story() -> tuple[Receipt, list[str]]:
        server = ScriptedSmtp({})
        async with server.serving() as port:
            channel = channel_to(f"smtp+starttls://127.0.0.1:{port}")
            return await channel.send(MESSAGE), server.heard

    receipt, heard = asyncio.run(story())
    assert receipt.fate is Fate.BUSY
    assert [line.split()[0] for line in heard] == ["EHLO"]


@pytest.mark.parametrize("url", ["", "mail.example.org", "http://x", "smtp://", "smtp:///x"])
def test_a_wrong_server_url_fails_at_the_start_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="must be smtp://") as error:
        channel_to(url)
    assert "example" not in str(error.value)


# --- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("maya@example.org", "maya@example.org"),
        (" Maya@Example.ORG ", "Maya@example.org"),
        ("mailto:maya@example.org", "maya@example.org"),
        ("Maya Doe <maya@example.org>", "maya@example.org"),
        ("maya+night@mail.example.org", "maya+night@mail.example.org"),
        ("maya@bücher.example", "maya@xn--bcher-kva.example"),
        ("maya@例え.テスト", "maya@xn--r8jz45g.xn--zckzah"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_what_people_type_becomes_one_form(typed: str, stored: str) -> None:
    channel = channel_to("smtp://127.0.0.1")
    assert channel.normalise(typed) == stored
    assert channel.normalise(stored) == stored


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("maya", "with one @"),
        ("maya@", "with one @"),
        ("@example.org", "with one @"),
        ("maya@@example.org", "with one @"),
        ("maya @example.org", "with one @"),
        ("maya@example.org, leo@example.org", "with one @"),
        ("maya@example.org\r\nBcc: x@example.org", "with one @"),
        ("a" * 250 + "@example.org", "before the @"),
        ("mayá@example.org", "before the @"),
        ("maya.@example.org", "before the @"),
        ('"maya doe"@example.org', "with one @"),
        ("maya(x)@example.org", "before the @"),
        ("maya@localhost", "after the @"),
        ("maya@example..org", "after the @"),
        ("maya@example.org.", "after the @"),
        ("maya@-example.org", "after the @"),
        ("maya@exa_mple.org", "after the @"),
        ("maya@192.168.1.7", "after the @"),
        ("maya@[127.0.0.1]", "after the @"),
        ("maya@" + "a" * 64 + ".org", "after the @"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_kindly(typed: str, says: str) -> None:
    with pytest.raises(AddressError, match=says):
        channel_to("smtp://127.0.0.1").normalise(typed)
