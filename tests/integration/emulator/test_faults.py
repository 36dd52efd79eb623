"""What goes wrong because a test wants it to: refusals, odd answers, delays. For cuts see there."""

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession
from attrs import define, field

from telnyx_rooms_async import NotFoundError, RoomsClient
from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a status too low": ({"status": 199}, "status must be an integer from 200 to 599, not 199"),
    "a status too high": ({"status": 600}, "status must be"),
    "a status in text": ({"status": "503"}, "status must be .* not '503'"),
    "a status that is true": ({"status": True}, "status must be"),
    "a body without a form": ({"body": object()}, "body must be"),
    "a body that no bytes can say": ({"body": "\ud800"}, "body must be"),
    "headers in a list": ({"headers": [("a", "b")]}, "headers must be"),
    "a header with a space": ({"headers": {"a b": "c"}}, "headers must be"),
    "a header of two lines": ({"headers": {"a": "b\r\nc: d"}}, "headers must be"),
    "a header that is a number": ({"headers": {"a": 1}}, "headers must be"),
    "a hint below zero": ({"retry_after": -1}, "retry_after must be"),
    "half a second": ({"retry_after": 0.5}, "retry_after must be"),
    "an unknown cut": ({"cut": "middle"}, "cut must be one of before, after, headers, body, not 'middle'"),
    "a cut in a list": ({"cut": ["before"]}, "cut must be"),
    "a delay below zero": ({"delay": -0.1}, "delay must be"),
    "a delay that is no number": ({"delay": math.nan}, "delay must be"),
    "no delay": ({"delay": None}, "delay must be"),
    "a reset in text": ({"cut": "after", "reset": "yes"}, "reset must be true or false"),
    "after in a number": ({"after": 1}, "after must be true or false"),
    "a reset of nothing": ({"reset": True}, "reset needs cut"),
    "carried out and not": ({"cut": "before", "after": True}, "after contradicts"),
    "a status that is never told": ({"cut": "before", "status": 500}, 'status contradicts cut="before"'),
    "a body that is never told": ({"cut": "after", "body": b""}, 'body contradicts cut="after"'),
    "headers that are never told": ({"cut": "after", "headers": {"a": "b"}}, "headers contradicts"),
    "a hint that is never told": ({"cut": "before", "retry_after": 0}, "retry_after contradicts"),
}


@pytest.mark.parametrize(("fields", "told"), WRONG.values(), ids=WRONG)
def test_a_fault_that_cannot_be(fields: dict[str, Any], told: str) -> None:
    """A field that cannot be so is an error when the fault is made, and is named."""
    with pytest.raises(ValueError, match=told):
        Fault(**fields)


def test_a_fault_does_not_change() -> None:
    """What was handed over may be changed, and the fault stays as it was made."""
    headers, body = {"a": "b"}, bytearray(b"odd")
    fault = Fault(headers=headers, body=body)
    headers.clear()
    body.clear()
    assert (fault.headers, fault.body) == ({"a": "b"}, b"odd")


# --- refusals ---------------------------------------------------------------------------------------------


CODES = {
    400: "10015",
    401: "10009",
    403: "10010",
    404: "10005",
    408: "10008",
    409: "10036",
    418: "10015",
    422: "10027",
    429: "10011",
    500: "10007",
    503: "10016",
    599: "10007",
}


@pytest.mark.parametrize(("status", "code"), CODES.items())
async def test_a_refusal(telnyx: Emulator, api: HttpClient, status: int, code: str) -> None:
    """A scripted status is told with the documented object of errors, once, and nothing is carried out."""
    telnyx.script(Fault(status=status))
    answer = await api.post("rooms", {})
    assert answer.status == status
    (entry,) = answer.body["errors"]
    assert entry["code"] == code
    assert entry["title"]
    assert entry["meta"]["url"].endswith(code)
    assert str(UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]
    assert telnyx.rooms == ()
    assert (await api.post("rooms", {})).status == 201
    assert [request.method for request in telnyx.requests] == ["POST", "POST"]


@pytest.mark.parametrize("status", [200, 204, 302, 304])
async def test_a_status_that_is_no_error(telnyx: Emulator, http: ClientSession, status: int) -> None:
    """A scripted status below 400 has no body unless one is told."""
    telnyx.script(Fault(status=status))
    async with http.get("rooms", allow_redirects=False) as response:
        assert (response.status, await response.read()) == (status, b"")


BODIES = {
    "bytes": (b"<html>", b"<html>"),
    "text": ("fünf", b"f\xc3\xbcnf"),
    "an object": ({"message": "Error", "success": False}, b'{"message":"Error","success":false}'),
    "an array": ([1, None], b"[1,null]"),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize(("body", "raw"), BODIES.values(), ids=BODIES)
async def test_a_refusal_in_other_words(telnyx: Emulator, http: ClientSession, body: Any, raw: bytes) -> None:
    """The body of a refusal may be anything."""
    telnyx.script(Fault(status=502, body=body))
    async with http.get("rooms") as response:
        assert (response.status, await response.read()) == (502, raw)


async def test_a_hint(telnyx: Emulator, api: HttpClient) -> None:
    """How long to wait is told in seconds."""
    telnyx.script(Fault(status=503, retry_after=2))
    assert (await api.get("rooms")).headers["Retry-After"] == "2"


HEADERS = {
    "more": {"cf-ray": "8a", "x-ratelimit-reset": "soon"},
    "other": {"Content-Type": "text/html", "X-Request-Id": "known", "date": "yesterday"},
    "the long way": {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("status", [None, 429])
async def test_other_headers(
    telnyx: Emulator, http: ClientSession, headers: Mapping[str, str], status: int | None
) -> None:
    """Scripted headers stand in every kind of answer, in the place of those of the same name."""
    telnyx.script(Fault(status=status, headers=headers, retry_after=1))
    async with http.get("rooms") as response:
        told = {"Retry-After": "1", **headers}
        assert {name: response.headers.getall(name) for name in told} == {n: [v] for n, v in told.items()}


# --- which request meets which fault ----------------------------------------------------------------------


async def test_the_script_is_used_up_in_its_order(telnyx: Emulator, api: HttpClient) -> None:
    """Each request meets the first fault that fits it; nothing is a fault too, and lets requests pass."""
    telnyx.script(Fault(), times=2)
    telnyx.script(Fault(status=500), operation="CreateRoom")
    telnyx.script(Fault(status=503), times=2)
    assert [fault.status for fault in telnyx.scripted] == [None, 500, 503]
    statuses = [(await api.get("rooms")).status for _ in range(3)]
    assert statuses == [200, 200, 503]
    assert [fault.status for fault in telnyx.scripted] == [500, 503]
    statuses = [(await api.post("rooms", {})).status for _ in range(3)]
    assert statuses == [500, 503, 201]
    assert telnyx.scripted == ()


async def test_a_fault_for_ever(telnyx: Emulator, api: HttpClient) -> None:
    """Without a number a fault stays until the script is forgotten."""
    telnyx.script(Fault(status=500), times=None)
    assert {(await api.get("rooms")).status for _ in range(20)} == {500}
    telnyx.unscript()
    assert (await api.get("rooms")).status == 200


async def test_equal_faults_are_two(telnyx: Emulator, api: HttpClient) -> None:
    """The same fault scripted twice is met twice."""
    for _ in range(2):
        telnyx.script(Fault(status=500))
    assert [(await api.get("rooms")).status for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=[endpoint.operation for endpoint in ENDPOINTS])
async def test_a_fault_for_one_operation(telnyx: Emulator, api: HttpClient, endpoint: Any) -> None:
    """Each operation can be told by its id, and no other request meets its fault."""
    telnyx.script(Fault(status=599), times=None, operation=endpoint.operation)
    for other in ENDPOINTS:
        answer = await api(other.method, other.path.replace("{", "").replace("}", "").lstrip("/"), {})
        assert (answer.status == 599) == (other is endpoint)


async def test_a_fault_for_some_requests(telnyx: Emulator, client: RoomsClient) -> None:
    """A test may look at the request itself, as it is recorded."""
    one, two = await client.rooms.create(unique_name="One"), await client.rooms.create(unique_name="Two")
    telnyx.script(Fault(status=404), when=lambda request: request.path.endswith(one.id))
    assert (await client.rooms.retrieve(two.id)).unique_name == "Two"
    with pytest.raises(NotFoundError):
        await client.rooms.retrieve(one.id)
    assert (await client.rooms.retrieve(one.id)).unique_name == "One"


@pytest.mark.parametrize(
    "options",
    [{"operation": "CreateRooms"}, {"operation": ""}, {"times": 0}, {"times": 1.5}, {"times": True}],
)
def test_a_script_that_cannot_be(options: dict[str, Any]) -> None:
    """An operation that is in no row, and a number below 1, are errors at once, and are named."""
    telnyx = Emulator()
    with pytest.raises(ValueError, match=f"^{next(iter(options))} must be"):
        telnyx.script(Fault(), **options)
    assert telnyx.scripted == ()


async def test_a_wrong_key_meets_no_fault(telnyx: Emulator, http: ClientSession, api: HttpClient) -> None:
    """A 401 stays one, and leaves the script to those who may come in; so does what leads nowhere."""
    telnyx.script(Fault(status=500))
    async with http.get("rooms", headers={"Authorization": "Bearer wrong"}) as response:
        assert response.status == 401
    assert (await api.get("nothing")).status == 404
    assert (await api.get("rooms")).status == 500


# --- carried out all the same -----------------------------------------------------------------------------


async def test_a_commit_that_is_denied(telnyx: Emulator, api: HttpClient) -> None:
    """An operation can be carried out, and told as an error."""
    telnyx.script(Fault(status=500, after=True))
    answer = await api.post("rooms", {"unique_name": "Weekly"})
    assert (answer.status, answer.body["errors"][0]["code"]) == (500, "10007")
    assert [room.unique_name for room in telnyx.rooms] == ["Weekly"]


@pytest.mark.parametrize(("body", "raw"), BODIES.values(), ids=BODIES)
async def test_a_success_that_cannot_be_read(
    telnyx: Emulator, http: ClientSession, body: Any, raw: bytes
) -> None:
    """A body alone takes the place of that of a success; the operation is carried out."""
    telnyx.script(Fault(body=body))
    async with http.post("rooms", json={}) as response:
        assert (response.status, await response.read()) == (201, raw)
    assert len(telnyx.rooms) == 1


async def test_a_deletion_whose_answer_was_denied(telnyx: Emulator) -> None:
    """A client that tries again after a denied commit finds it done."""
    clock = FakeClock().clock
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=clock) as client:
        room = await client.rooms.create()
        telnyx.script(Fault(status=502, after=True), operation="DeleteRoom")
        await client.rooms.delete(room.id)
    assert telnyx.rooms == ()
    assert [request.method for request in telnyx.requests] == ["POST", "DELETE", "DELETE"]


async def test_a_client_that_waits_as_it_is_told(telnyx: Emulator) -> None:
    """A refusal with a hint costs a client a pause and a look-up, and makes one room."""
    fake_clock = FakeClock(random=0.0)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=fake_clock.clock) as client:
        telnyx.script(Fault(status=503, retry_after=2), operation="CreateRoom")
        await client.rooms.create(unique_name="Weekly")
    assert fake_clock.sleeps == [2.0]
    assert [request.method for request in telnyx.requests] == ["POST", "GET", "POST"]
    assert len(telnyx.rooms) == 1


# --- delays -----------------------------------------------------------------------------------------------


@define
class Pause:
    """Waits until it is ended, and tells how long it was asked to."""

    asked: list[float] = field(factory=list[float])
    began: asyncio.Event = field(factory=asyncio.Event)
    over: asyncio.Event = field(factory=asyncio.Event)

    async def __call__(self, seconds: float) -> None:
        """Wait."""
        self.asked.append(seconds)
        self.began.set()
        await self.over.wait()


DELAYS = {
    "then carried out": (Fault(delay=3.0), 0, 1, 201),
    "carried out before": (Fault(delay=3, after=True), 1, 1, 201),
    "never carried out": (Fault(delay=3.0, status=504), 0, 0, 504),
    "carried out before, and denied": (Fault(delay=3.0, status=504, after=True), 1, 1, 504),
    "with an odd body": (Fault(delay=3.0, body=b"odd"), 0, 1, 201),
}


@pytest.mark.parametrize(("fault", "during", "in_the_end", "status"), DELAYS.values(), ids=DELAYS)
async def test_a_late_answer(fault: Fault, during: int, in_the_end: int, status: int) -> None:
    """A delay stands before the operation or after it."""
    pause = Pause()
    async with Emulator(sleep=pause) as telnyx, ClientSession() as session:
        telnyx.script(fault)
        headers = {"Authorization": f"Bearer {telnyx.api_key}"}
        asked = asyncio.create_task(session.post(f"{telnyx.url}/rooms", headers=headers, json={}))
        await pause.began.wait()
        assert len(telnyx.rooms) == during
        pause.over.set()
        assert (await asked).status == status
        assert len(telnyx.rooms) == in_the_end
        assert pause.asked == [3.0]


async def test_a_client_that_does_not_wait() -> None:
    """An operation is carried out after its delay, whether the client still waits or not."""
    pause = Pause()
    async with Emulator(sleep=pause) as telnyx, ClientSession() as session:
        telnyx.script(Fault(delay=20))
        headers = {"Authorization": f"Bearer {telnyx.api_key}"}
        asked = asyncio.create_task(session.post(f"{telnyx.url}/rooms", headers=headers, json={}))
        await pause.began.wait()
        asked.cancel()
        await asyncio.wait([asked])
        assert telnyx.rooms == ()
        pause.over.set()
        while not telnyx.rooms:
            await asyncio.sleep(0)
    assert len(telnyx.requests) == 1


@pytest.mark.parametrize("seconds", [3600.0, math.inf])
@pytest.mark.parametrize("fields", [{}, {"after": True}, {"cut": "body"}, {"status": 503}])
async def test_an_emulator_is_left_while_someone_waits(
    fields: dict[str, Any], seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing ends every delay: whoever waits gets no answer, who had gone leaves nothing, none is logged."""
    caplog.set_level(logging.INFO)
    telnyx = Emulator()
    async with telnyx:
        telnyx.script(Fault(delay=seconds, **fields), times=None)
        port = int(telnyx.url.removesuffix("/v2").rpartition(":")[2])
        request = f"GET /v2/rooms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {telnyx.api_key}\r\n\r\n"
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in connections:
            writer.write(request.encode())
        while len(telnyx.requests) < len(connections):
            await asyncio.sleep(0)
        connections[0][1].close()
        await connections[0][1].wait_closed()
        assert telnyx._runner is not None
        assert telnyx._runner.server is not None
        while all(each.transport for each in telnyx._runner.server.connections):
            await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for reader, writer in connections[1:]:
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert caplog.records == []


# --- the store --------------------------------------------------------------------------------------------


@pytest.fixture
async def link(telnyx: Emulator, api: HttpClient, room_id: str, time: FakeClock) -> str:
    """Where the sound of ten seconds is."""
    alice = telnyx.join(room_id)
    time.advance(seconds=10)
    telnyx.leave(alice.id)
    time.advance(seconds=5)
    (recording,) = (await api.get("room_recordings", {"filter[type]": "audio"})).data
    url: str = recording["download_url"]
    return url


async def test_a_download_that_is_refused(telnyx: Emulator, api: HttpClient, link: str) -> None:
    """The store has a name of its own in the script, and asks for no key before it refuses."""
    telnyx.script(Fault(status=503, retry_after=1), operation="download")
    assert (await api.get("rooms")).status == 200
    async with ClientSession() as stranger:
        async with stranger.get(link) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
        async with stranger.get(link) as response:
            assert (response.status, response.content_length) == (200, 140_000)


async def test_a_download_with_odd_headers(telnyx: Emulator, http: ClientSession, link: str) -> None:
    """What is scripted for the store stands in its answers too."""
    telnyx.script(Fault(headers={"ETag": '"odd"'}), operation="download")
    async with http.get(link) as response:
        assert (response.headers["ETag"], len(await response.read())) == ('"odd"', 140_000)


async def test_a_fault_for_all_is_not_for_the_store(telnyx: Emulator, http: ClientSession, link: str) -> None:
    """Only who names the store means it."""
    telnyx.script(Fault(status=500))
    async with http.get(link) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "fields", [{"cut": "after"}, {"cut": "headers"}, {"cut": "body"}, {"body": b""}, {"after": True}]
)
def test_a_download_cannot_go_wrong_so(fields: dict[str, Any]) -> None:
    """What would come after a file was sent is refused, with the way to break one off."""
    with pytest.raises(ValueError, match="cut_after"):
        Emulator().script(Fault(**fields), operation="download")
