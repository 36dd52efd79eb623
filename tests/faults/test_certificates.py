"""TLS: servers without a valid certificate get no request."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import trustme

from telnyx_rooms_async import TLSError
from tests.helpers.clocks import FakeClock
from tests.helpers.fault_case import FaultCase, read_and_create
from tests.helpers.fault_server import FaultServer
from tests.helpers.raw_server import Connection, RawServer, running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def server(clock: FakeClock, authority: trustme.CA) -> AsyncIterator[FaultServer]:
    """A fault server with TLS, whose certificate is valid for clients that trust the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with running(FaultServer(tls=context, clock=clock)) as fault_server:
        yield fault_server


def trust(case: FaultCase, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
    case.borrowed_sessions.append(session)
    case.new_client(session=session)


async def expect_tls_error(case: FaultCase, action: Any) -> None:
    """Check that nothing was sent, in one attempt."""
    error = await case.expect_error(TLSError, action)
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["tls"])
    case.expect_requests("", rooms=0)


@read_and_create
async def test_an_untrusted_server_gets_no_request(
    case: FaultCase, action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_TLS_REJECT_UNAUTHORIZED"):
        monkeypatch.setenv(name, "0")
    case.new_client()
    await expect_tls_error(case, action)
    case.recovers = False  # this client will never trust this server


YESTERDAY = datetime.now(UTC) - timedelta(days=1)
CERTIFICATES: dict[str, tuple[str, dict[str, Any]]] = {
    "expired": ("127.0.0.1", {"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}),
    "wrong host": ("telnyx.example", {}),
}


@read_and_create
@pytest.mark.parametrize(("name", "validity"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_an_invalid_certificate_is_rejected_after_one_attempt(
    case: FaultCase, authority: trustme.CA, name: str, validity: dict[str, Any], action: Any
) -> None:
    assert case.server.tls is not None
    authority.issue_cert(name, **validity).configure_cert(case.server.tls)
    trust(case, authority)
    await expect_tls_error(case, action)
    authority.issue_cert("127.0.0.1").configure_cert(case.server.tls)  # accepted: the case makes a call


@read_and_create
async def test_a_server_without_tls_gets_no_request(case: FaultCase, action: Any) -> None:
    received: list[bytes] = []

    class PlainServer(RawServer):
        async def serve_requests(self, connection: Connection) -> None:
            received.append(await connection.reader.read(65_536))
            await connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with running(PlainServer()) as plain:
        case.new_client(base_url=plain.url.replace("http:", "https:"))
        await expect_tls_error(case, action)
    assert len(received) == 1
    assert b"rooms" not in received[0]
    case.recovers = False  # this server will never speak TLS
