"""E-mail through a real SMTP server, and what comes back when a mail bounces.

Owns the mail we write (one plain text, one link, a Message-ID that stays the same when a message
is sent again), one SMTP transaction per recipient, and the reading of bounces. Refuses to decide
what a mail says. The link opens a page with one button, because mail scanners follow links.

What the server says is mapped in ``_verdict``; the rest follows from one question: was the text
already on its way? Before that nothing can have arrived (``BUSY``), after it nobody knows
(``UNKNOWN``).
"""

from __future__ import annotations

import asyncio
import email.policy
import email.utils
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from hashlib import blake2b
from urllib.parse import unquote, urlsplit

import idna
from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from stillhere.channels.base import (
    AddressError,
    Capability,
    Outgoing,
    gettext_noop,
    one_line,
    text_with_link,
)
from stillhere.core.messages import Fate, Inbound, Receipt

NEUTRAL_SUBJECT = "Lamp"
MAX_TEXT = 20_000
MAX_BOUNCE_BYTES = 512 * 1024
MAX_ADDRESS = 254

_NOT_AN_ADDRESS = gettext_noop("Type an e-mail address with one @ in it, like maya@example.org.")
_NOT_A_LOCAL_PART = gettext_noop(
    "The part before the @ has a letter or sign that mail servers cannot carry. "
    "Use another address of theirs."
)
_NOT_A_DOMAIN = gettext_noop(
    "The part after the @ is not a mail domain. Look for a missing dot or a slip of the finger."
)

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_OUR_ID = re.compile(rb"<lamp\.[0-9a-f]{32}@[A-Za-z0-9.-]{1,253}>")
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
# How long an idle connection may take to prove that it still lives, before a fresh one is made.
_STALE_CHECK_S = 2.0


def normalise_email(typed: str) -> str:
    """One form for an e-mail address: the domain in small ASCII letters, the rest as typed.

    Takes what people paste: ``mailto:``, ``Maya <maya@example.org>``, spaces around it.
    Raises ``AddressError``.
    """
    text = typed.strip()
    if text.lower().startswith("mailto:"):
        text = text[7:]
    if text.endswith(">") and "<" in text:
        text = text[text.index("<") + 1 : -1]
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or "@" in local or any(c.isspace() for c in text):
        raise AddressError(_NOT_AN_ADDRESS)
    if not _LOCAL_PART.fullmatch(local) or len(local) > 64:
        raise AddressError(_NOT_A_LOCAL_PART)
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise AddressError(_NOT_A_DOMAIN) from None
    if "." not in ascii_domain or ascii_domain.endswith(".") or ascii_domain[-1].isdigit():
        raise AddressError(_NOT_A_DOMAIN)
    address = f"{local}@{ascii_domain}"
    if len(address) > MAX_ADDRESS:
        raise AddressError(_NOT_AN_ADDRESS)
    return address


@dataclass(frozen=True, slots=True)
class _Server:
    """Where and how to hand in mail, read from one URL."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None

    @classmethod
    def from_url(cls, url: str) -> _Server:
        """Raises ``ValueError`` without the URL in it: it holds a password."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the mail server's URL must be smtp://, smtps:// or smtp+starttls://")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def tls(self) -> ssl.SSLContext:
        """``smtps`` and ``smtp+starttls`` check the certificate; ``smtp`` takes TLS when offered
        and checks nothing, as mail servers do among themselves."""
        context = ssl.create_default_context()
        if self.scheme == "smtp":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _Progress:
    """How far one transaction came: once the text is on its way, it may have arrived."""

    text_on_its_way = False


class EmailChannel:
    """One mail per message to one address. See ``Channel`` for the contract.

    ``clock`` gives milliseconds since 1970 for the Date header. ``secret`` makes the Message-IDs
    unguessable: whoever could guess one could forge a bounce.
    """

    name = "email"
    capabilities = frozenset({Capability.LINKS})

    def __init__(
        self,
        smtp_url: str,
        mail_from: str,
        *,
        clock: Callable[[], int],
        secret: bytes = b"",
        deadline_s: float = 15.0,
        concurrency: int = 8,
    ) -> None:
        self.deadline_s = deadline_s
        self.concurrency = concurrency
        self._server = _Server.from_url(smtp_url)
        self._tls = self._server.tls()
        name, address = email.utils.parseaddr(mail_from)
        self._sender = normalise_email(address or mail_from)
        self._sender_name = one_line(name, 60)
        self._domain = self._sender.rpartition("@")[2]
        self._clock = clock
        self._secret = secret[:64]
        self._idle: list[SMTP] = []
        self._closed = False

    def normalise(self, typed: str) -> str:
        return normalise_email(typed)

    async def send(self, message: Outgoing) -> Receipt:
        ref = self.message_id(message.key)
        if self._closed:
            return Receipt(Fate.BUSY, ref, "channel closed")
        try:
            to = normalise_email(message.to)
        except AddressError:
            return Receipt(Fate.FAILED, ref, "not an e-mail address")
        progress = _Progress()
        try:
            mail = self._compose(message, to, ref).as_bytes(policy=email.policy.SMTP)
            async with asyncio.timeout(self.deadline_s):
                await self._hand_in(to, mail, progress)
        except SMTPResponseException as error:
            return _verdict(error, ref, progress)
        except (SMTPException, MessageError, OSError, ValueError, RuntimeError) as error:
            # TimeoutError is an OSError: deadline, cut connection and no connection end here.
            fate = Fate.UNKNOWN if progress.text_on_its_way else Fate.BUSY
            return Receipt(fate, ref, f"mail server: {type(error).__name__}")
        return Receipt(Fate.ACCEPTED, ref)

    def message_id(self, key: str) -> str:
        """The Message-ID of the message with this key, the same at every repeat."""
        digest = blake2b(key.encode("utf-8", "replace"), key=self._secret, digest_size=16)
        return f"<lamp.{digest.hexdigest()}@{self._domain}>"

    async def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _compose(self, message: Outgoing, to: str, ref: str) -> EmailMessage:
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"] = email.utils.formataddr((self._sender_name, self._sender))
        mail["To"] = to
        mail["Subject"] = one_line(message.subject, 120) or NEUTRAL_SUBJECT
        mail["Date"] = email.utils.formatdate(self._clock() / 1000)
        mail["Message-ID"] = ref
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(text_with_link(message, MAX_TEXT) + "\n", cte="quoted-printable")
        mail["Content-Language"] = one_line(message.lang, 16) or "en"
        return mail

    async def _hand_in(self, to: str, mail: bytes, progress: _Progress) -> None:
        client = await self._connection()
        try:
            await client.mail(self._sender)
            await client.rcpt(to)
            progress.text_on_its_way = True
            await client.data(mail)
        except SMTPRecipientRefused:
            self._keep(client)  # the address was refused; the connection is as good as before
            raise
        except BaseException:
            client.close()
            raise
        self._keep(client)

    async def _connection(self) -> SMTP:
        """A connection that has just answered: an idle one, else a new one."""
        if self._idle:
            client = self._idle.pop()
            try:
                async with asyncio.timeout(min(_STALE_CHECK_S, self.deadline_s / 4)):
                    await client.rset()
                return client
            except (SMTPException, OSError):
                client.close()
        client = SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.scheme == "smtps",
            start_tls={"smtp": None, "smtps": False, "smtp+starttls": True}[self._server.scheme],
            tls_context=self._tls,
            local_hostname=self._domain,
        )
        await client.connect()
        return client

    def _keep(self, client: SMTP) -> None:
        if self._closed or not client.is_connected or len(self._idle) >= self.concurrency:
            client.close()
        else:
            self._idle.append(client)


def _verdict(error: SMTPResponseException, ref: str, progress: _Progress) -> Receipt:
    """What a reply code means. Only a word about this recipient or this text can be final: a 5xx
    to our greeting, password or sender is trouble of ours, and says nothing about the address."""
    enhanced = _STATUS.search(error.message)
    why = f"mail server said {error.code}" + (f" {enhanced.group()}" if enhanced else "")
    final = isinstance(error, SMTPRecipientRefused | SMTPDataError)
    if final and 500 <= error.code <= 599:
        return Receipt(Fate.FAILED, ref, why)
    if progress.text_on_its_way and not 400 <= error.code <= 599:
        return Receipt(Fate.UNKNOWN, ref, "mail server: garbage for an answer")
    return Receipt(Fate.BUSY, ref, why)


def parse_bounce(raw: bytes) -> Inbound | None:
    """Read a bounce (RFC 3464) of one of our mails, or ``None`` for every other mail.

    The receipt's ``provider_ref`` is our Message-ID, wherever the bounce quotes it. The same news
    about the same mail has the same ``provider_id``, so it counts once. Never raises.
    """
    raw = raw[:MAX_BOUNCE_BYTES]
    try:
        report = BytesParser(policy=email.policy.compat32).parsebytes(raw)
        status = _failure_status(report)
        ours = _quoted_id(raw, report) if status else ""
    except (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError):
        return None  # a stranger's mail: whatever it trips over, it is no bounce of ours
    if not status or not ours:
        return None
    fate = Fate.FAILED if status.startswith("5") else Fate.BUSY
    return Inbound(
        channel=EmailChannel.name,
        provider_id=f"{ours} {status}",
        kind="receipt",
        receipt=Receipt(fate, ours, f"bounced with {status}"),
    )


def _failure_status(report: Message) -> str:
    """The first status 4.x.x or 5.x.x in the report's machine-readable part, or ``""``."""
    for part in report.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.walk():
            action = str(block.get("Action", "")).strip().lower()
            status = _STATUS.match(str(block.get("Status", "")).strip())
            if action in {"failed", "delayed"} and status and status.group()[0] in "45":
                return status.group()
    return ""


def _quoted_id(raw: bytes, report: Message) -> str:
    """Our Message-ID as the bounce quotes it: in the returned headers, In-Reply-To or References;
    looked for in encoded parts too."""
    found = _OUR_ID.search(raw)
    if found:
        return found.group().decode("ascii")
    for part in report.walk():
        content = part.get_payload(decode=True)
        found = _OUR_ID.search(content) if isinstance(content, bytes) else None
        if found:
            return found.group().decode("ascii")
    return ""
