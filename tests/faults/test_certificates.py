"""Servers that are not to be trusted."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import trustme

from telnyx_rooms_async import RoomsClient, TLSError
from tests.helpers.case import Case, create, read
from tests.helpers.faulty import Faulty, faulty
from tests.helpers.haste import Haste

deeds = pytest.mark.parametrize("deed", [read, create], ids=lambda deed: deed.__name__)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
CERTIFICATES: dict[str, tuple[str, dict[str, Any]]] = {
    "expired": ("127.0.0.1", {"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}),
    "wrong host": ("telnyx.example", {}),
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for the server's certificates."""
    return trustme.CA()


@pytest.fixture
async def server(time: Haste, authority: trustme.CA) -> AsyncIterator[Faulty]:
    """A faulty Telnyx behind TLS, whose certificate is good to those who trust the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with faulty(time, tls=context) as it:
        yield it


def lend(case: Case, authority: trustme.CA) -> None:
    """Use a session that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
    case.lent.append(session)
    case.uses(session=session)


def check(error: TLSError) -> None:
    """Check what all of these have in common."""
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["tls"])


@deeds
async def test_untrusted(
    case: Case, deed: Callable[[RoomsClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server for which nobody vouches gets no request, whatever the environment says."""
    for name in ("PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_TLS_REJECT_UNAUTHORIZED"):
        monkeypatch.setenv(name, "0")
    case.uses()
    check(await case.fails(TLSError, deed))
    case.saw("", rooms=0)
    case.past_healing = "this client will never trust this server"


@deeds
@pytest.mark.parametrize(("name", "validity"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_trusted_but_not_good(
    case: Case,
    authority: trustme.CA,
    name: str,
    validity: dict[str, Any],
    deed: Callable[[RoomsClient], Any],
) -> None:
    """It is refused after one try, and gets no request; when it has a good one, the client goes on."""
    assert case.server.tls is not None
    authority.issue_cert(name, **validity).configure_cert(case.server.tls)
    lend(case, authority)
    check(await case.fails(TLSError, deed))
    case.saw("", rooms=0)
    authority.issue_cert("127.0.0.1").configure_cert(case.server.tls)


@deeds
async def test_no_tls_at_all(case: Case, deed: Callable[[RoomsClient], Any]) -> None:
    """A server that speaks plain HTTP on an https URL gets no request."""
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        case.uses(base_url=f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/v2")
        check(await case.fails(TLSError, deed))
    assert len(heard) == 1
    assert b"rooms" not in heard[0]
    case.saw("", rooms=0)
    case.past_healing = "this server will never speak TLS"


@deeds
async def test_trusted_and_good(
    case: Case, authority: trustme.CA, deed: Callable[[RoomsClient], Any]
) -> None:
    """With a good certificate all goes well."""
    lend(case, authority)
    await case.succeeds(deed)
    case.saw("GET" if deed is read else "POST", rooms=deed is create)
