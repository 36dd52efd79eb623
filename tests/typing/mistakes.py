"""A user's mistakes, checked by mypy and pyright and never run.

Each ignored line must be an error: both checkers report an ignore that nothing needs.
"""

from telnyx_rooms_async import RoomsClient, batch


async def mistakes(client: RoomsClient) -> None:
    """Do what the types forbid."""
    await client.rooms.create(max_participants=None)  # type: ignore[arg-type]  # null where the API has none
    await client.rooms.create(unique_name=None)  # type: ignore[arg-type]  # null where the API has none
    await client.rooms.update("an-id", webhook_event_url=None)  # type: ignore[arg-type]  # likewise
    await client.rooms.update("an-id", enable_recording="yes")  # type: ignore[arg-type]  # text for a flag
    await client.rooms.create("Weekly")  # type: ignore[call-arg]  # fields are named
    await client.rooms.retrieve(7)  # type: ignore[arg-type]  # a number is no id
    client.rooms.list(created_after="2021-04-25")  # type: ignore[call-arg]  # no such filter
    client.rooms.list(created_at="2021-04-25")  # type: ignore[arg-type]  # text for a day
    await client.rooms.list()  # type: ignore[misc]  # a listing is iterated, not awaited
    for _ in client.rooms.list():  # type: ignore[attr-defined]  # with async for
        pass
    client.recordings.list(duration_secs=60)  # type: ignore[arg-type]  # a number for a range
    room = await client.rooms.retrieve("an-id")
    room.unique_name.upper()  # type: ignore[union-attr]  # a room may have no name
    room.unique_name = "Renamed"  # type: ignore[misc]  # values are frozen
    await client.rooms.ensure(max_participants=20)  # type: ignore[call-arg]  # without a name
    await client.rooms.plan([{"size": 3}])  # type: ignore[typeddict-unknown-key]  # no such field
    batch.stream(client.rooms.delete, [room])  # type: ignore[arg-type]  # a room is no id
    async for outcome in batch.stream(client.rooms.retrieve, ["an-id"]):
        outcome.value.id.upper()  # type: ignore[union-attr]  # it may have failed
