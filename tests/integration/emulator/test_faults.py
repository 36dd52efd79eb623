"""Faults injected into requests: other responses, delays, and the rules that select requests."""

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession
from attrs import define, field
from yarl import URL

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import wait_until
from tests.helpers.http_client import HttpClient, open_session

INVALID: list[tuple[dict[str, Any], str]] = [
    ({"status": 199}, "status must be an integer from 200 to 599, not 199"),
    ({"status": "503"}, "status must be .* not '503'"),
    ({"body": object()}, "body must be"),
    ({"headers": [("a", "b")]}, "headers must be"),
    ({"headers": {"a b": "c"}}, "headers must be"),
    ({"headers": {"a": "b\r\nc: d"}}, "headers must be"),
    ({"retry_after": -1}, "retry_after must be"),
    ({"cut": "middle"}, "cut must be one of before, after, headers, body, not 'middle'"),
    ({"delay": math.nan}, "delay must be"),
    ({"cut": "after", "reset": "yes"}, "reset must be true or false"),
    ({"reset": True}, "reset needs cut"),
    ({"cut": "before", "after": True}, "after contradicts"),
    ({"cut": "before", "status": 500}, 'status contradicts cut="before"'),
    ({"cut": "after", "body": b""}, 'body contradicts cut="after"'),
]


@pytest.mark.parametrize(("fields", "message"), INVALID)
def test_invalid_faults_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**fields)


def test_fault_copies_its_arguments() -> None:
    headers, body = {"a": "b"}, bytearray(b"odd")
    fault = Fault(headers=headers, body=body)
    headers.clear()
    body.clear()
    assert (fault.headers, fault.body) == ({"a": "b"}, b"odd")


# --- responses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "10015"), (404, "10005"), (422, "10027"), (500, "10007"), (503, "10016")],
)
async def test_status_has_the_documented_body(
    telnyx: Emulator, api: HttpClient, status: int, code: str
) -> None:
    telnyx.inject(Fault(status=status))
    response = await api.post("rooms", {})
    assert response.status == status
    (entry,) = response.body["errors"]
    assert entry["code"] == code
    assert entry["title"]
    assert entry["meta"]["url"].endswith(code)
    assert str(UUID(response.headers["x-request-id"])) == response.headers["x-request-id"]
    assert telnyx.rooms == ()
    assert (await api.post("rooms", {})).status == 201


@pytest.mark.parametrize(
    ("body", "raw"),
    [("fünf", b"f\xc3\xbcnf"), ({"success": False}, b'{"success":false}'), ([1], b"[1]"), (b"", b"")],
    ids=["text", "object", "array", "empty bytes"],
)
async def test_body_replaces_that_of_an_error_or_a_success(
    telnyx: Emulator, http: ClientSession, body: Any, raw: bytes
) -> None:
    telnyx.inject(Fault(status=302))  # a status below 400 has no body
    telnyx.inject(Fault(status=502, body=body))
    telnyx.inject(Fault(body=body))
    async with http.get("rooms", allow_redirects=False) as response:
        assert (response.status, await response.read()) == (302, b"")
    for status, rooms in ((502, 0), (201, 1)):
        async with http.post("rooms", json={}) as response:
            assert (response.status, await response.read()) == (status, raw)
        assert len(telnyx.rooms) == rooms


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-reset": "soon"},
        {"Content-Type": "text/html", "X-Request-Id": "known", "date": "yesterday", "Retry-After": "later"},
    ],
    ids=["new", "replaced"],
)
@pytest.mark.parametrize("status", [None, 429])
async def test_headers_are_set(
    telnyx: Emulator, http: ClientSession, headers: Mapping[str, str], status: int | None
) -> None:
    telnyx.inject(Fault(status=status, headers=headers, retry_after=1))
    async with http.get("rooms") as response:
        for name, value in {"Retry-After": "1", **headers}.items():
            assert response.headers.getall(name) == [value]


# --- rules --------------------------------------------------------------------------------------------------


async def test_request_uses_up_the_first_fault_that_matches(telnyx: Emulator, api: HttpClient) -> None:
    telnyx.inject(Fault(), times=2)
    telnyx.inject(Fault(status=500), operation="CreateRoom")
    telnyx.inject(Fault(status=503))
    telnyx.inject(Fault(status=503))
    telnyx.inject(Fault(status=504), times=None)
    assert [(await api.get("rooms")).status for _ in range(3)] == [200, 200, 503]
    assert [fault.status for fault in telnyx.pending_faults] == [500, 503, 504]
    assert [(await api.post("rooms", {})).status for _ in range(5)] == [500, 503, 504, 504, 504]
    telnyx.clear_faults()
    telnyx.inject(Fault(status=404), when=lambda request: request.method == "POST")
    assert [(await api(method, "rooms", {})).status for method in ("GET", "POST", "POST")] == [200, 404, 201]
    assert telnyx.pending_faults == ()


async def test_fault_can_be_for_one_operation(telnyx: Emulator, api: HttpClient) -> None:
    for endpoint in ENDPOINTS:
        body = {"operation": endpoint.operation}
        telnyx.inject(Fault(status=599, body=body), operation=endpoint.operation)
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{", "").replace("}", "").lstrip("/")
        response = await api(endpoint.method, path, {})
        assert (response.status, response.body) == (599, {"operation": endpoint.operation})
    assert telnyx.pending_faults == ()


@pytest.mark.parametrize(
    "options",
    [{"operation": "CreateRooms"}, {"times": 0}, {"times": True}],
)
def test_invalid_rules_are_refused(options: dict[str, Any]) -> None:
    telnyx = Emulator()
    with pytest.raises(ValueError, match=f"^{next(iter(options))} must be"):
        telnyx.inject(Fault(), **options)
    assert telnyx.pending_faults == ()


async def test_refused_and_unknown_requests_use_up_no_fault(
    telnyx: Emulator, http: ClientSession, api: HttpClient
) -> None:
    telnyx.inject(Fault(status=500))
    async with http.get("rooms", headers={"Authorization": "Bearer wrong"}) as response:
        assert response.status == 401
    assert (await api.get("unknown")).status == 404
    assert (await api.get("rooms")).status == 500


# --- delays -------------------------------------------------------------------------------------------------


@define
class ManualSleep:
    """A sleep that lasts until `finished` is set."""

    seconds: list[float] = field(factory=list[float])
    started: asyncio.Event = field(factory=asyncio.Event)
    finished: asyncio.Event = field(factory=asyncio.Event)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.started.set()
        await self.finished.wait()


@pytest.mark.parametrize(
    ("fault", "rooms_during", "rooms_after", "status"),
    [
        (Fault(delay=3.0), 0, 1, 201),
        (Fault(delay=3, after=True), 1, 1, 201),
        (Fault(delay=3.0, status=504), 0, 0, 504),
        (Fault(delay=3.0, status=504, after=True), 1, 1, 504),
        (Fault(delay=3.0, body=b"odd"), 0, 1, 201),
    ],
    ids=["before", "after", "refused", "carried out and refused", "body"],
)
async def test_delay_is_before_or_after_the_operation(
    fault: Fault, rooms_during: int, rooms_after: int, status: int
) -> None:
    sleep = ManualSleep()
    async with Emulator(sleep=sleep) as telnyx, open_session(telnyx) as session:
        telnyx.inject(fault)
        request = asyncio.create_task(session.post("rooms", json={}))
        await sleep.started.wait()
        assert len(telnyx.rooms) == rooms_during
        sleep.finished.set()
        assert (await request).status == status
        assert len(telnyx.rooms) == rooms_after
        assert sleep.seconds == [3.0]


async def test_delayed_operation_is_carried_out_for_a_client_that_has_gone() -> None:
    sleep = ManualSleep()
    async with Emulator(sleep=sleep) as telnyx, open_session(telnyx) as session:
        telnyx.inject(Fault(delay=20))
        request = asyncio.create_task(session.post("rooms", json={}))
        await sleep.started.wait()
        request.cancel()
        await asyncio.wait([request])
        assert telnyx.rooms == ()
        sleep.finished.set()
        await wait_until(lambda: len(telnyx.rooms) == 1)
    assert len(telnyx.requests) == 1


@pytest.mark.parametrize("fields", [{}, {"after": True}])
async def test_closing_ends_delays(fields: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Emulator() as telnyx:
        telnyx.inject(Fault(delay=math.inf, **fields), times=None)
        request = f"GET /v2/rooms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {telnyx.api_key}\r\n\r\n"
        connections = [await asyncio.open_connection("127.0.0.1", URL(telnyx.url).port) for _ in range(3)]
        for _, writer in connections:
            writer.write(request.encode())
        await wait_until(lambda: len(telnyx.requests) == len(connections))
        connections[0][1].close()  # a client that does not wait
        await connections[0][1].wait_closed()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for reader, writer in connections[1:]:
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert caplog.records == []


# --- downloads ----------------------------------------------------------------------------------------------


async def test_downloads_have_faults_of_their_own(
    telnyx: Emulator, api: HttpClient, keyless_http: ClientSession, link: str
) -> None:
    telnyx.inject(Fault(status=503, retry_after=1), operation="download")
    telnyx.inject(Fault(headers={"ETag": '"odd"'}), operation="download")
    telnyx.inject(Fault(status=500))
    async with keyless_http.get(link) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
    for etags in ({'"odd"'}, set[str]()):
        async with keyless_http.get(link) as response:
            assert (response.status, len(await response.read())) == (200, 300_000)
            assert {response.headers["ETag"]} >= etags
    assert (await api.get("rooms")).status == 500


@pytest.mark.parametrize(
    "fields", [{"cut": "after"}, {"cut": "headers"}, {"cut": "body"}, {"body": b""}, {"after": True}]
)
def test_faults_after_the_start_of_a_download_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cut_after"):
        Emulator().inject(Fault(**fields), operation="download")
