"""A user's program, checked by mypy and pyright and never run: every line must be accepted."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime
from typing import assert_type
from uuid import UUID

import aiohttp

from telnyx_rooms_async import (
    UNSET,
    APIStatusError,
    DateFilter,
    ErrorDetail,
    Listing,
    NotFoundError,
    Page,
    Response,
    RetryPolicy,
    Room,
    RoomParticipant,
    RoomsClient,
    RoomSession,
    TelnyxRoomsError,
)
from telnyx_rooms_async.core import endpoints, protocol
from telnyx_rooms_async.core.messages import Call
from telnyx_rooms_async.emulator import Emulator, RecordedRequest


async def rooms(client: RoomsClient, *, named: bool) -> None:
    """Create, change, read and delete."""
    room = await client.rooms.create(unique_name="Weekly", webhook_timeout_secs=None)
    assert_type(room, Room)
    assert_type(room.unique_name, str | None)
    assert_type(room.created_at, datetime | None)
    assert_type(room.sessions, tuple[RoomSession, ...] | None)
    await client.rooms.create(unique_name="Daily" if named else UNSET)
    await client.rooms.update(room.id, webhook_event_failover_url=None)
    await client.rooms.retrieve(UUID(room.id), include_sessions=True)
    await client.rooms.delete(room.id)


async def lists(client: RoomsClient) -> None:
    """List, page and count."""
    listing = client.rooms.list(created_at=date(2021, 4, 25), updated_at=DateFilter(gte=date(2021, 4, 25)))
    assert_type(listing, Listing[Room])
    async for room in listing:
        assert_type(room, Room)
    async for page in listing.pages(start=2):
        assert_type(page, Page[Room])
    assert_type(await listing.page(1, 50), Page[Room])
    assert_type(await listing.count(), int)
    async with aclosing(aiter(listing)) as generator:
        assert_type(generator, AsyncGenerator[Room, None])
    async for session in client.rooms.sessions("an-id", active=True, include_participants=True):
        assert_type(session, RoomSession)
        assert_type(session.participants, tuple[RoomParticipant, ...] | None)


async def errors(client: RoomsClient) -> None:
    """Catch what may go wrong."""
    try:
        await client.rooms.retrieve("an-id")
    except NotFoundError as error:
        assert_type(error.code, str | None)
        assert_type(error.errors, tuple[ErrorDetail, ...])
    except APIStatusError as error:
        assert_type(error.retry_after, float | None)
    except TelnyxRoomsError:
        raise


async def life(session: aiohttp.ClientSession) -> None:
    """Make clients, views and an emulator."""
    client = RoomsClient("KEY", session=session, retry=RetryPolicy(attempts=5))
    assert_type(client.with_options(timeout=5), RoomsClient)
    assert_type(await client.request("GET", "/rooms", query={"page[size]": 1}), Response)
    async with Emulator(port=8080) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as local:
        assert_type(local, RoomsClient)
        assert_type(telnyx.join("an-id", context="Alice"), RoomParticipant)
        assert_type(telnyx.requests, list[RecordedRequest])
    await client.close()


def without_io() -> None:
    """Use the protocol with HTTP of one's own."""
    call = protocol.build(endpoints.LIST_ROOMS)
    assert_type(call, Call[Page[Room]])
    page = protocol.read(call, Response(status=200, body=b"{}"))
    assert_type(page, Page[Room])
    assert_type(protocol.following(call, page), Call[Page[Room]] | None)
