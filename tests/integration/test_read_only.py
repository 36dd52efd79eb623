"""A read-only client: whatever would change something is refused before it is sent.

Operations: tests/unit/test_operations.
"""

import io
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import TracerProvider

from telnyx_rooms_async import RateLimitError, ReadOnlyError, RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations.opentelemetry import instrument
from tests.helpers.clocks import FakeClock

VIEWS: dict[str, Callable[[RoomsClient], RoomsClient]] = {
    "itself": lambda client: client,
    "a view": lambda client: client.with_options(timeout=5),
    "a view that would lift it": lambda client: client.with_options(read_only=False),
    "a view that says it again": lambda client: client.with_options(read_only=True),
    "traced": lambda client: instrument(client, TracerProvider()),
}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_writes_are_refused_before_a_request(telnyx: Emulator, method: str) -> None:
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, read_only=True) as client:
        with pytest.raises(ReadOnlyError):
            await client.request(method, "/rooms")
    assert telnyx.requests == []


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
async def test_views_of_a_read_only_client_are_read_only(
    telnyx: Emulator, view: Callable[[RoomsClient], RoomsClient]
) -> None:
    telnyx.seed(2)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, read_only=True) as client:
        with pytest.raises(ReadOnlyError):
            await view(client).rooms.create()
        assert await view(client).rooms.list().count() == 2
        assert (await view(client).request("HEAD", "/rooms")).status == 200
    assert [request.method for request in telnyx.requests] == ["GET", "HEAD"]


async def test_read_only_view_of_a_client_that_writes(telnyx: Emulator, client: RoomsClient) -> None:
    room = await client.rooms.create()
    view = instrument(client, TracerProvider()).with_options(read_only=True)
    with pytest.raises(ReadOnlyError, match=f"the client is read-only: DELETE /rooms/{room.id} was not sent"):
        await view.rooms.delete(room.id)
    await client.rooms.delete(room.id)
    await view.close()
    assert [request.method for request in telnyx.requests] == ["POST", "DELETE"]


async def test_write_is_refused_although_the_client_is_paused(telnyx: Emulator) -> None:
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        telnyx.inject(Fault(status=429, retry_after=30))
        with pytest.raises(RateLimitError):
            await client.with_options(retry=RetryPolicy(max_attempts=1)).rooms.list().count()
        with pytest.raises(ReadOnlyError):
            await client.with_options(read_only=True, timeout=5).rooms.delete("a")
    assert len(telnyx.requests) == 1


async def test_read_only_client_downloads() -> None:
    time = FakeClock()
    async with Emulator(clock=time) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        room = await client.rooms.create(enable_recording=True)
        telnyx.leave(telnyx.join(room.id).id)
        time.advance(seconds=60)
        reader, file = client.with_options(read_only=True), io.BytesIO()
        async for recording in reader.recordings.list():
            await reader.recordings.download(recording.id, file)
    assert file.getvalue()
