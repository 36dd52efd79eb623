"""``client.with_raw_response``: attempts and errors. Its values: tests/unit/test_operations."""

import inspect

import pytest

from telnyx_rooms_async import APIResponse, NotFoundError, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault


async def test_attempts_are_those_of_the_call(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.inject(Fault(status=429, retry_after=0))
    response = await client.with_raw_response.rooms.create(unique_name="Weekly")
    assert response.value == telnyx.rooms[0]
    assert [attempt.status for attempt in response.attempts] == [429, 201]


async def test_repeated_deletion_has_the_response_of_its_last_request(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(1)
    telnyx.inject(Fault(cut="after"), operation="DeleteRoom")
    response = await client.with_raw_response.rooms.delete(telnyx.rooms[0])
    assert (response.value, response.status_code, len(response.attempts)) == (None, 404, 2)


async def test_errors_are_raised_as_without_it(client: RoomsClient) -> None:
    with pytest.raises(NotFoundError):
        await client.with_raw_response.rooms.retrieve("a")


async def test_concurrent_calls_keep_their_responses_apart(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    raw = client.with_raw_response.rooms
    calls = [raw.retrieve(room) for room in telnyx.rooms]
    responses: list[APIResponse[Room]] = [await call for call in calls[::-1]]
    assert [response.value for response in responses[::-1]] == list(telnyx.rooms)
    assert len({response.request_id for response in responses}) == 3


def test_operation_has_the_signature_and_the_docstring_of_its_verb() -> None:
    client = RoomsClient("KEY")
    raw, verb = client.with_raw_response.rooms.retrieve, client.rooms.retrieve
    assert inspect.signature(raw) == inspect.signature(verb)
    assert raw.__doc__ == verb.__doc__
