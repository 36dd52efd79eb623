"""TLS: servers without a valid certificate get no request."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import trustme

from telnyx_rooms_async import RoomsClient, TLSError
from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.fault_case import FaultCase, create, read
from tests.helpers.fault_server import FaultServer, run_fault_server

actions = pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
CERTIFICATES: dict[str, tuple[str, dict[str, Any]]] = {
    "expired": ("127.0.0.1", {"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}),
    "wrong host": ("telnyx.example", {}),
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority of the server's certificates."""
    return trustme.CA()


@pytest.fixture
async def server(time: FastForwardLoop, authority: trustme.CA) -> AsyncIterator[FaultServer]:
    """A fault server with TLS, whose certificate is valid for clients that trust the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with run_fault_server(time, tls=context) as server:
        yield server


def trust(case: FaultCase, authority: trustme.CA) -> None:
    """Use a session that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
    case.borrowed_sessions.append(session)
    case.new_client(session=session)


def check_tls_error(error: TLSError) -> None:
    """Check that nothing was sent, in one attempt."""
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["tls"])


@actions
async def test_an_untrusted_server_gets_no_request(
    case: FaultCase, action: Callable[[RoomsClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_TLS_REJECT_UNAUTHORIZED"):
        monkeypatch.setenv(name, "0")
    case.new_client()
    check_tls_error(await case.expect_error(TLSError, action))
    case.expect_requests("", rooms=0)
    case.no_recovery_reason = "this client will never trust this server"


@actions
@pytest.mark.parametrize(("name", "validity"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_an_invalid_certificate_is_rejected_after_one_attempt(
    case: FaultCase,
    authority: trustme.CA,
    name: str,
    validity: dict[str, Any],
    action: Callable[[RoomsClient], Any],
) -> None:
    assert case.server.tls is not None
    authority.issue_cert(name, **validity).configure_cert(case.server.tls)
    trust(case, authority)
    check_tls_error(await case.expect_error(TLSError, action))
    case.expect_requests("", rooms=0)
    authority.issue_cert("127.0.0.1").configure_cert(case.server.tls)


@actions
async def test_a_server_without_tls_gets_no_request(
    case: FaultCase, action: Callable[[RoomsClient], Any]
) -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        case.new_client(base_url=f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/v2")
        check_tls_error(await case.expect_error(TLSError, action))
    assert len(heard) == 1
    assert b"rooms" not in heard[0]
    case.expect_requests("", rooms=0)
    case.no_recovery_reason = "this server will never speak TLS"


@actions
async def test_a_valid_certificate_is_accepted(
    case: FaultCase, authority: trustme.CA, action: Callable[[RoomsClient], Any]
) -> None:
    trust(case, authority)
    await case.expect_result(action)
    case.expect_requests("GET" if action is read else "POST", rooms=action is create)
