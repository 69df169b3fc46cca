"""The dates of two named hosts prove what time it is, whatever our own clock says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stillhere.engine import timekeeping
from tests.conftest import EVENING_MS

pytestmark = pytest.mark.slow

EXPIRED_AT = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate that ran out years ago, and somebody who trusts who signed it: our own
    clock is what is in doubt, so no certificate may be judged by it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "time.example.org")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(EXPIRED_AT - timedelta(days=30))
        .not_valid_after(EXPIRED_AT)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = timekeeping.trust()
    client.load_verify_locations(pem)
    return server, client


@contextmanager
def dates(server: ssl.SSLContext, said: int | str | None) -> Iterator[str]:
    """A host that says it is this many ms, or these words; None says nothing. Its address."""
    date = formatdate(said / 1000, usegmt=True) if isinstance(said, int) else said

    class Host(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            if date is not None:
                self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as http:
        http.socket = server.wrap_socket(http.socket, server_side=True)
        thread = Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"https://localhost:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("told_s", "agreed_s"),
    [
        ((0, 1), 1),
        ((0, 3600), None),  # one of them is wrong, and nobody can say which
        ((3600, 0, 2), 1),
        ((0, None), None),
    ],
)
def test_the_time_on_which_two_hosts_agree_is_proved(
    authority: tuple[ssl.SSLContext, ssl.SSLContext],
    told_s: tuple[int | None, ...],
    agreed_s: int | None,
) -> None:
    server, client = authority
    with ExitStack() as running:
        urls = [
            running.enter_context(dates(server, None if s is None else EVENING_MS + s * 1000))
            for s in told_s
        ]
        found = asyncio.run(timekeeping.agreed(urls, client))
    if agreed_s is None:
        assert found is None
    else:
        assert found == pytest.approx(EVENING_MS + agreed_s * 1000, abs=1_000)


def test_a_host_that_nobody_vouches_for_proves_nothing(
    authority: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, _client = authority
    with dates(server, EVENING_MS) as one, dates(server, EVENING_MS) as other:
        assert asyncio.run(timekeeping.agreed([one, other])) is None


@pytest.mark.parametrize(
    "words",
    [
        "Sat, 31 Jan 99999999999999 22:00:00 GMT",
        "Sat, 31 Jan 9999 22:00:00 GMT",
        "soon",
        "",
        "\x00",
    ],
)
def test_a_host_that_talks_nonsense_spoils_no_agreement_of_two_others(
    authority: tuple[ssl.SSLContext, ssl.SSLContext], words: str
) -> None:
    server, client = authority
    with (
        dates(server, EVENING_MS) as one,
        dates(server, words) as mad,
        dates(server, EVENING_MS + 1_000) as other,
    ):
        told = asyncio.run(timekeeping.dates([one, mad, other], client))
    assert timekeeping.agreement(told) == pytest.approx(EVENING_MS, abs=2_000)
