"""Correct use of the public API: mypy and pyright must accept every line. It is never run."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO, assert_type
from uuid import UUID

import aiohttp
from aiohttp import web
from distributed import Client
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from telnyx_rooms_async import (
    UNSET,
    AccessToken,
    APIStatusError,
    CallNext,
    Change,
    ClientToken,
    DateFilter,
    DownloadedFile,
    DurationFilter,
    Ensured,
    ErrorDetail,
    Listing,
    NotFoundError,
    Page,
    Plan,
    RecordingStatus,
    RecordingType,
    Request,
    Response,
    RetryPolicy,
    Room,
    RoomComposition,
    RoomFields,
    RoomParticipant,
    RoomRecording,
    RoomsClient,
    RoomSession,
    Settings,
    TelnyxRoomsError,
    VideoRegion,
    batch,
)
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.core import endpoints, protocol
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.emulator import Emulator, Fault, Faults, RecordedRequest
from telnyx_rooms_async.integrations import dask
from telnyx_rooms_async.integrations.aiohttp_web import (
    CLIENT,
    aiohttp_handler,
    client_context,
    router_context,
)
from telnyx_rooms_async.integrations.asgi import asgi_app, client_lifespan
from telnyx_rooms_async.policies import AllowedHours, PolicyAction, RoomPolicy
from telnyx_rooms_async.webhooks import (
    Event,
    EventRouter,
    EventStore,
    MemoryEventStore,
    RoomSessionEnded,
    RoomTracker,
    UnknownEvent,
    Webhooks,
)


async def rooms(client: RoomsClient, *, named: bool) -> None:
    """Create, update, retrieve and delete rooms."""
    room = await client.rooms.create("Weekly", webhook_timeout_secs=None)
    fields: RoomFields = {"unique_name": "Weekly", "max_participants": 25}
    assert_type(await client.rooms.create(**fields), Room)
    assert_type(room, Room)
    assert_type(room.unique_name, str | None)
    assert_type(room.created_at, datetime | None)
    assert_type(room.sessions, tuple[RoomSession, ...] | None)
    await client.rooms.create(unique_name="Daily" if named else UNSET)
    await client.rooms.update(room.id, webhook_event_failover_url=None)
    await client.rooms.retrieve(UUID(room.id), include_sessions=True)
    await client.rooms.delete(room.id)


async def lists(client: RoomsClient) -> None:
    """Iterate, page and count listings."""
    listing = client.rooms.list(created_at=date(2021, 4, 25), updated_at=DateFilter(gte=date(2021, 4, 25)))
    assert_type(listing, Listing[Room])
    async for room in listing:
        assert_type(room, Room)
    async for page in listing.pages(start=2):
        assert_type(page, Page[Room])
    assert_type(await listing.page(1, 50), Page[Room])
    assert_type(await listing.count(), int)
    async with listing as open_listing:
        assert_type(open_listing, Listing[Room])
    await listing.aclose()
    async with aclosing(aiter(listing)) as generator:
        assert_type(generator, AsyncGenerator[Room, None])
    async for session in client.rooms.sessions("an-id", active=True, include_participants=True):
        assert_type(session, RoomSession)
        assert_type(session.participants, tuple[RoomParticipant, ...] | None)


async def reconciliation(client: RoomsClient, fields: RoomFields) -> None:
    """Ensure a room, plan and apply."""
    ensured = await client.rooms.ensure("Weekly", max_participants=20, webhook_timeout_secs=None)
    assert_type(ensured, Ensured)
    assert_type(ensured.room, Room)
    plan = await client.rooms.plan([fields, {"unique_name": "Weekly"}], prune=True)
    assert_type(plan, Plan)
    assert_type(plan.changes, tuple[Change, ...])
    async for outcome in client.rooms.apply(plan, concurrency=8, max_failures=3):
        if isinstance(outcome, batch.Done):
            assert_type(outcome.value, Room | None)
        else:
            assert_type(outcome.error, Exception)
        assert_type(outcome.item, Change)


async def settings_of_a_client() -> None:
    """Create a client from settings."""
    settings = Settings(base_url="https://example.com", rate_limit_share=1 / 3, read_only=True)
    async with RoomsClient.from_settings(settings) as client:
        assert_type(client.with_options(read_only=True), RoomsClient)
    private = Settings(
        ca_file=Path("ca.pem"), client_cert="client.pem", proxy="http://proxy.example.com:3128"
    )
    RoomsClient.from_settings(private)
    RoomsClient(ssl_context=ssl.create_default_context(), proxy="proxy.example.com:3128")


async def response_of_an_error(client: RoomsClient) -> None:
    """Use the attributes of errors and responses that the official SDK has under the same names."""
    try:
        response = await client.request("GET", "/rooms")
        assert_type(response.headers["X-Request-Id"], str)
        response.json()["meta"]["total_results"]
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.message, str)
        assert_type(error.headers.get("Retry-After"), str | None)
        assert_type(error.request_id, str | None)


async def sessions(client: RoomsClient, writer: BinaryIO) -> None:
    """Use sessions, recordings and compositions."""
    assert_type(await client.rooms.wait_for_session("an-id", timeout=60), RoomSession)
    assert_type(await client.sessions.retrieve("an-id", include_participants=True), RoomSession)
    await client.sessions.end("an-id")
    await client.sessions.kick("an-id", "all", exclude=["another-id"])
    await client.sessions.mute("an-id", {UUID(int=1)})
    assert_type(client.sessions.list(room_id=UUID(int=1)), Listing[RoomSession])
    assert_type(client.sessions.participants("an-id", context="Alice"), Listing[RoomParticipant])
    assert_type(client.participants.list(joined_at=date(2021, 4, 25)), Listing[RoomParticipant])
    recordings = client.recordings.list(
        type=RecordingType.VIDEO, status="completed", duration_secs=DurationFilter(gte=60)
    )
    async for recording in recordings:
        assert_type(recording, RoomRecording)
        assert_type(recording.size_mb, float | None)
        assert_type(await client.recordings.download(recording.id, Path("file.webm")), DownloadedFile)
        await client.recordings.download(recording.id, writer, progress=print)
    assert_type(await client.recordings.delete_matching(status=RecordingStatus.COMPLETED), int)
    composition = await client.compositions.create(
        "an-id", video_layout={"all": VideoRegion(width=640, video_sources=("*",))}, audio_sources=None
    )
    assert_type(composition.video_layout, Mapping[str, VideoRegion] | None)
    assert_type(await client.compositions.wait(composition.id, timeout=60), RoomComposition)


async def models_as_ids(
    client: RoomsClient, room: Room, session: RoomSession, people: list[RoomParticipant]
) -> None:
    """Pass models for ids."""
    assert_type(await client.rooms.update(room, max_participants=3), Room)
    assert_type(await client.rooms.wait_for_session(room), RoomSession)
    assert_type(client.rooms.sessions(room, created_at="2021-04-25"), Listing[RoomSession])
    await client.sessions.kick(session, people, exclude=iter(people))
    await client.sessions.end(session)
    assert_type(client.recordings.list(room_id=room, session_id=session), Listing[RoomRecording])
    async for recording in client.recordings.list(participant_id=people[0]):
        await client.recordings.download(recording, "file.webm")
        composition = await client.compositions.create(session, audio_sources=[recording])
        assert_type(await client.compositions.wait(composition), RoomComposition)
        await client.compositions.delete(composition)
    assert_type(await client.tokens.create(room), ClientToken)
    async for outcome in client.rooms.delete_many(client.rooms.list()):
        assert_type(outcome, batch.Done[str | UUID | Room, None] | batch.Failed[str | UUID | Room])
    async for outcome in batch.stream(client.rooms.delete, [room]):
        outcome.unwrap()
    assert_type(RoomTracker(room).room_id, str)


async def tokens(client: RoomsClient) -> None:
    """Create and refresh client tokens."""
    pair = await client.tokens.create("an-id", token_ttl_secs=60)
    assert_type(pair, ClientToken)
    assert_type(pair.expires_in(datetime.now(UTC)), float | None)
    assert_type(await client.tokens.refresh("an-id", pair.refresh_token or ""), AccessToken)
    async with client.tokens.auto_refresh("an-id") as kept:
        assert_type(await kept.token(), str)


async def errors(client: RoomsClient) -> None:
    """Handle errors."""
    try:
        await client.rooms.retrieve("an-id")
    except NotFoundError as error:
        assert_type(error.code, str | None)
        assert_type(error.errors, tuple[ErrorDetail, ...])
    except APIStatusError as error:
        assert_type(error.retry_after, float | None)
    except TelnyxRoomsError:
        raise


async def add_trace(request: Request, call_next: CallNext) -> Response:
    """Be middleware."""
    return await call_next(request.with_headers({"X-Correlation-Id": "1"}))


async def get_key() -> str:
    """Return an API key."""
    return "KEY"


async def clients(session: aiohttp.ClientSession) -> None:
    """Create clients, views and an emulator."""
    client = RoomsClient("KEY", session=session, retry=RetryPolicy(max_attempts=5))
    assert_type(client.with_options(timeout=timedelta(seconds=5), attempt_timeout=None), RoomsClient)
    options = client.with_options(headers={"X-Team": "Video"}, query={"a": 1}, body={"b": [1]}, max_retries=0)
    assert_type(await options.rooms.retrieve("an-id"), Room)
    RoomsClient(lambda: "KEY", middleware=[add_trace], default_headers={"X-Team": "Video"})
    client.with_options(api_key=get_key)
    assert_type(await client.request("GET", "/rooms", query={"page[size]": 1}), Response)
    async with Emulator(port=8080) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as local:
        assert_type(local, RoomsClient)
        assert_type(telnyx.join("an-id", context="Alice"), RoomParticipant)
        assert_type(telnyx.requests, list[RecordedRequest])
    await client.close()


def sans_io() -> None:
    """Use the protocol with another HTTP client."""
    call = protocol.build(endpoints.LIST_ROOMS)
    assert_type(call, Call[Page[Room]])
    page = protocol.read(call, Response(status=200, body=b"{}"))
    assert_type(page, Page[Room])
    assert_type(Page.from_dict(page.to_dict(), Room), Page[Room])
    scan = Scan(size=250)
    assert_type(scan.read(page), tuple[Room, ...])
    assert_type(scan.number, int | None)
    assert_type(protocol.at(call, 2), Call[Page[Room]])


async def webhooks(client: RoomsClient, router: EventRouter, headers: Mapping[str, str]) -> None:
    """Unwrap, route and track events."""
    event = Webhooks([await client.public_key(), b"another"], tolerance=60).unwrap(b"", headers)
    assert_type(Webhooks().unwrap("", headers), Event)
    assert_type(event, Event)
    assert_type(await router.dispatch(event), bool)
    timeline = RoomTracker("room")
    timeline.feed(event)
    assert_type(timeline.session, RoomSession | None)
    assert_type(timeline.recordings, tuple[RoomRecording, ...])

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        assert_type(event.payload.duration_secs, int | None)

    @router.on(UnknownEvent)
    async def unknown(event: UnknownEvent) -> Mapping[str, object]:
        return event.payload

    await ended(RoomSessionEnded(id="1"))
    store: EventStore = MemoryEventStore()
    async with EventRouter(store=store) as other:
        other.on(Event)(any_event)


async def any_event(event: Event) -> None:
    """Handle any event."""
    if isinstance(event, RoomSessionEnded):
        assert_type(event.payload.ended_reason, str | None)


def aiohttp_app(router: EventRouter) -> web.Application:
    """Receive webhooks with aiohttp.web."""
    app = web.Application()
    app.cleanup_ctx.append(client_context)
    app.cleanup_ctx.append(router_context(router))
    app.router.add_post("/telnyx", aiohttp_handler(router, Webhooks(), background=True))
    assert_type(app[CLIENT], RoomsClient)
    return app


def asgi_apps(router: EventRouter) -> None:
    """Receive webhooks with Starlette and FastAPI."""
    receiver = asgi_app(router, Webhooks())
    app = FastAPI(lifespan=client_lifespan(router))
    app.mount("/telnyx", receiver)
    Starlette(routes=[Route("/telnyx", receiver), Mount("/hooks", receiver)], lifespan=client_lifespan())


async def batches(client: RoomsClient, ids: list[str]) -> None:
    """Stream the outcomes of many calls."""
    async for outcome in batch.stream(client.rooms.retrieve, ids, concurrency=8):
        assert_type(outcome, batch.Done[str, Room] | batch.Failed[str])
        if outcome.ok is True:
            assert_type(outcome.value, Room)
        else:
            assert_type(outcome.error, Exception)
        assert_type(outcome.unwrap(), Room)
        match outcome:
            case batch.Done(item=room_id, value=room):
                assert_type((room_id, room), tuple[str, Room])
            case batch.Failed(item=room_id, error=error):
                assert_type((room_id, error), tuple[str, Exception])


async def bulk_operations(client: RoomsClient) -> None:
    """Create, update and delete many rooms."""
    bodies: list[RoomFields] = [{"unique_name": "Weekly", "max_participants": 25}]
    assert_type(await Journal("rooms.journal").summary(), batch.JournalSummary)
    async for created in client.rooms.create_many(bodies, journal=Journal("rooms.journal")):
        assert_type(created, batch.Done[RoomFields, Room] | batch.Failed[RoomFields])
    changes: list[tuple[str, RoomFields]] = [("an-id", {"webhook_timeout_secs": None})]
    async for changed in client.rooms.update_many(changes):
        assert_type(changed.unwrap(), Room)
    async with aclosing(client.rooms.delete_all(everything=True, expect=3)) as outcomes:
        async for deleted in outcomes:
            assert_type(deleted.item, Room)


async def enforcement(client: RoomsClient, store: EventStore, router: EventRouter) -> None:
    """Carry out policies, with a hook and a warning."""
    hours = AllowedHours(start=time(8), end=time(18), zone="Europe/Berlin", weekdays=["mon", "tue"])
    policies = [
        RoomPolicy(names={"Board"}, predicate=lambda room: room.enable_recording is True),
        RoomPolicy(max_duration=timedelta(hours=2), allowed_hours=hours, identity="user_id"),
        RoomPolicy(allowed_hours=[hours], identity=None),
    ]

    async def decide(action: PolicyAction) -> bool | timedelta:
        return timedelta(minutes=5) if action.rule == "max_duration" else action.type != "delete_room"

    async def warn(action: PolicyAction) -> None:
        assert_type(action.session, RoomSession | None)

    actions = client.rooms.enforce(
        policies, router=router, store=store, before_action=decide, on_warning=warn
    )
    async with aclosing(actions):
        async for action in actions:
            assert_type(action, PolicyAction)


async def fields_in_variables(client: RoomsClient, rows: list[dict[str, str | int | None]]) -> None:
    """Pass fields of rooms in variables of an inferred or a general type."""
    bodies = [{"unique_name": f"Ward {number}", "max_participants": number} for number in range(2, 9)]
    created = await client.rooms.create_many(bodies)
    assert_type(created.done[0].value, Room)
    assert_type((await client.rooms.create_many(rows)).done[0].value, Room)
    changes = [(outcome.value.id, {"max_participants": 9}) for outcome in created.done]
    async for changed in client.rooms.update_many(changes):
        assert_type(changed.item, tuple[str, dict[str, int]])
        assert_type(changed.error, Exception | None)
    desired = [{"unique_name": "Ward 2", "enable_recording": True}]
    assert_type(await client.rooms.plan(desired), Plan)
    async for row in client.rooms.create_many(row async for row in table()):
        assert_type(row.item, Mapping[str, object])


async def table() -> AsyncGenerator[Mapping[str, object], None]:
    """Yield rows."""
    yield {"unique_name": "Weekly"}


async def dask_jobs(cluster: Client, bodies: list[RoomFields]) -> None:
    """Create and delete many rooms with Dask."""
    async for outcome in dask.create_many(cluster, bodies, settings=Settings(), partition_size=50):
        assert_type(outcome, batch.Done[RoomFields, Room] | batch.Failed[RoomFields])
    async for deletion in dask.delete_many(cluster, ("a", "b"), settings=Settings()):
        assert_type(deletion, batch.Done[str | UUID | Room, None] | batch.Failed[str | UUID | Room])


async def test_of_a_user(rooms_client: RoomsClient, telnyx_emulator: Emulator, telnyx_faults: Faults) -> None:
    """Use the fixtures of the pytest plugin."""
    assert_type(telnyx_faults.respond(503, "CreateRoom", body={"errors": []}, retry_after=1), Fault)
    telnyx_faults.drop_response(times=2)
    telnyx_faults.drop_request("ListRooms", times=None)
    telnyx_faults.delay(0.5)
    assert_type(await rooms_client.rooms.create(), Room)
    assert_type(telnyx_emulator.rooms, tuple[Room, ...])
