"""The official SDK, pointed at the emulator, does all that it can do with rooms."""

import pytest
import telnyx as sdk

from telnyx_rooms_async.emulator import Emulator


async def test_the_official_sdk_is_served(telnyx: Emulator) -> None:
    """Every operation of rooms works through the official client as well."""
    telnyx.seed(5)
    async with sdk.AsyncTelnyx(api_key=telnyx.api_key, base_url=telnyx.url, max_retries=0) as client:
        made = (await client.rooms.create(unique_name="Weekly", max_participants=25)).data
        assert made is not None
        assert made.id is not None
        telnyx.join(made.id, context="Alice")
        found = (await client.rooms.retrieve(made.id, include_sessions=True)).data
        assert found is not None
        assert found.sessions is not None
        assert found.sessions[0].active is True
        changed = (await client.rooms.update(made.id, max_participants=7)).data
        assert changed is not None
        assert changed.max_participants == 7
        names = [room.unique_name async for room in client.rooms.list(page_size=2)]
        assert names == [*(f"Room {number}" for number in range(1, 6)), "Weekly"]
        filtered = client.rooms.list(
            filter={"unique_name": "Weekly", "date_created_at": {"gte": "2021-04-25"}}
        )
        assert [room.id async for room in filtered] == [made.id]
        sessions = [each async for each in client.rooms.sessions.list_1(made.id, include_participants=True)]
        assert [person.context for person in sessions[0].participants or []] == ["Alice"]
        with pytest.raises(sdk.UnprocessableEntityError):
            await client.rooms.create(unique_name="Weekly")
        await client.rooms.delete(made.id)
        with pytest.raises(sdk.NotFoundError):
            await client.rooms.retrieve(made.id)
