"""Incorrect use of the public API: mypy and pyright must report every ignored line. It is never run.

Both type checkers report an ignore that is not needed.
"""

from datetime import date

from telnyx_rooms_async import DateFilter, Room, RoomsClient, VideoRegion, batch
from telnyx_rooms_async.emulator import Fault, Faults
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks


async def mistakes(client: RoomsClient) -> None:
    """Pass wrong types to the methods of a client."""
    await client.rooms.create(max_participants=None)  # type: ignore[arg-type]  # null where the API has none
    await client.rooms.create(unique_name=None)  # type: ignore[arg-type]  # null where the API has none
    await client.rooms.update("an-id", webhook_event_url=None)  # type: ignore[arg-type]  # likewise
    await client.rooms.update("an-id", enable_recording="yes")  # type: ignore[arg-type]  # text for a flag
    await client.rooms.create("Weekly", 25)  # type: ignore[call-arg, arg-type]  # settings are named
    client.rooms.list(created_after="2021-04-25")  # type: ignore[call-arg]  # no such filter
    await client.rooms.list()  # type: ignore[misc]  # a listing is iterated, not awaited
    for _ in client.rooms.list():  # type: ignore[attr-defined]  # with async for
        pass
    room = await client.rooms.retrieve("an-id")
    room.unique_name.upper()  # type: ignore[union-attr]  # a room may have no name
    room.unique_name = "Renamed"  # type: ignore[misc]  # values are frozen
    await client.rooms.ensure(max_participants=20)  # type: ignore[call-arg]  # without a name
    await client.rooms.plan(["Weekly"])  # type: ignore[list-item]  # a name is not the fields of a room
    await client.rooms.create_many({"unique_name": "Weekly"})  # type: ignore[type-var]  # one room
    await client.rooms.update_many({"an-id": {"max_participants": 25}})  # type: ignore[type-var]  # no pairs
    batch.stream(client.sessions.end, [room])  # type: ignore[arg-type]  # a room is no session
    async for outcome in batch.stream(client.rooms.retrieve, ["an-id"]):
        outcome.value.id.upper()  # type: ignore[union-attr]  # it may have failed


async def lapses(client: RoomsClient, room_id: str) -> None:
    """Forget an await, or misspell a name."""
    client.rooms.delete(room_id)  # type: ignore[unused-coroutine]  # not awaited: nothing is sent
    room: Room = client.rooms.retrieve(room_id)  # type: ignore[assignment]  # not awaited
    room.name.upper()  # type: ignore[attr-defined]  # it is called unique_name
    room.created_at.isoformat()  # type: ignore[union-attr]  # it may be null
    DateFilter(after=date(2021, 4, 25))  # type: ignore[call-arg]  # it is called gte
    client.rooms.sessions(room_id, created_after=date(2021, 4, 25))  # type: ignore[call-arg]  # likewise
    await client.rooms.create(max_participant=3)  # type: ignore[call-arg]  # a letter is missing
    await client.rooms.create(on_lost_response="retry")  # type: ignore[arg-type]  # adopt, resend or raise
    await client.recordings.download(room_id)  # type: ignore[call-arg]  # where to
    len(client.rooms.list())  # type: ignore[arg-type]  # that takes a request: count()
    _ = client.rooms.list()[0]  # type: ignore[index]  # likewise: page(1)


async def wrong_values(client: RoomsClient, faults: Faults, layout: dict[str, dict[str, int]]) -> None:
    """Pass values of another type."""
    client.api_key = "KEY"  # type: ignore[attr-defined]  # with_options(api_key=...)
    RoomsClient(ssl_context=True)  # type: ignore[arg-type]  # an ssl.SSLContext
    RoomsClient(retry=3)  # type: ignore[arg-type]  # a RetryPolicy
    RoomsClient(max_retries="3")  # type: ignore[arg-type]  # text for a number
    client.with_options(extra_headers={})  # type: ignore[call-arg]  # headers
    client.with_options(headers={"X-Team": 1})  # type: ignore[dict-item]  # text
    await client.compositions.create("an-id", video_layout=layout)  # type: ignore[arg-type]  # VideoRegion
    VideoRegion(width="640")  # type: ignore[arg-type]  # text for a number
    await client.rooms.list().page("1")  # type: ignore[arg-type]  # likewise
    Fault(cut="middle")  # type: ignore[arg-type]  # no such place
    faults.respond("503")  # type: ignore[arg-type]  # text for a number


async def receivers(router: EventRouter, webhooks: Webhooks) -> None:
    """Register handlers that cannot be called."""
    await webhooks.unwrap(b"", {})  # type: ignore[misc]  # a plain function

    def ended(event: RoomSessionEnded) -> None: ...

    async def of_a_room(room: Room) -> None: ...

    router.on(RoomSessionEnded)(ended)  # type: ignore[arg-type]  # no coroutine
    router.on(RoomSessionEnded)(of_a_room)  # type: ignore[arg-type]  # takes something else
