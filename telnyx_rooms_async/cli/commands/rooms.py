"""``telnyx-rooms rooms``: a command for each verb of ``client.rooms``, an option for each parameter."""

from collections.abc import Sequence
from typing import Final, TypeVar

import typer

from telnyx_rooms_async import Room, RoomSession, UnsetType
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    TIMEOUT,
    Active,
    AsJson,
    BaseUrl,
    Clear,
    Clearable,
    CreatedAt,
    EnableRecording,
    EndedAt,
    IncludeParticipants,
    IncludeSessions,
    Limit,
    MaxParticipants,
    OfName,
    OnLostResponse,
    PageSize,
    RoomId,
    Timeout,
    UniqueName,
    UnknownOutcome,
    UpdatedAt,
    WebhookEventFailoverUrl,
    WebhookEventUrl,
    WebhookTimeoutSecs,
    enough,
    given,
)
from telnyx_rooms_async.cli.output import show_list, show_one, show_when_there
from telnyx_rooms_async.cli.runner import run

T = TypeVar("T")

group: Final = typer.Typer(name="rooms", no_args_is_help=True, help="Rooms, and the sessions held in them.")


@group.command("list")
def list_rooms(
    *,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    unique_name: OfName = None,
    include_sessions: IncludeSessions = False,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the rooms of the account."""
    run(
        lambda client: show_list(
            client.rooms.list(
                created_at=created_at,
                updated_at=updated_at,
                unique_name=unique_name,
                include_sessions=include_sessions,
                page_size=enough(page_size, limit),
            ),
            Room,
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def create(
    *,
    unique_name: UniqueName = None,
    max_participants: MaxParticipants = None,
    enable_recording: EnableRecording = None,
    webhook_event_url: WebhookEventUrl = None,
    webhook_event_failover_url: WebhookEventFailoverUrl = None,
    webhook_timeout_secs: WebhookTimeoutSecs = None,
    on_lost_response: OnLostResponse = UnknownOutcome.ADOPT,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Create a room, and show it.

    Name what matters: a room without a name cannot be found again if the answer is lost.
    """
    run(
        lambda client: show_one(
            client.rooms.create(
                unique_name=given(unique_name),
                max_participants=given(max_participants),
                enable_recording=given(enable_recording),
                webhook_event_url=given(webhook_event_url),
                webhook_event_failover_url=given(webhook_event_failover_url),
                webhook_timeout_secs=given(webhook_timeout_secs),
                on_lost_response=on_lost_response.value,
            ),
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def retrieve(
    room_id: RoomId,
    *,
    include_sessions: IncludeSessions = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Show one room, with all its fields."""
    run(
        lambda client: show_one(
            client.rooms.retrieve(room_id, include_sessions=include_sessions),
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def update(
    room_id: RoomId,
    *,
    unique_name: UniqueName = None,
    max_participants: MaxParticipants = None,
    enable_recording: EnableRecording = None,
    webhook_event_url: WebhookEventUrl = None,
    webhook_event_failover_url: WebhookEventFailoverUrl = None,
    webhook_timeout_secs: WebhookTimeoutSecs = None,
    clear: Clear = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Change the fields that are given, and show the room.

    The others are left alone.
    """
    _refuse_nothing(
        unique_name,
        max_participants,
        enable_recording,
        webhook_event_url,
        webhook_event_failover_url,
        webhook_timeout_secs,
        clear or None,
    )
    run(
        lambda client: show_one(
            client.rooms.update(
                room_id,
                unique_name=given(unique_name),
                max_participants=given(max_participants),
                enable_recording=given(enable_recording),
                webhook_event_url=given(webhook_event_url),
                webhook_event_failover_url=_or_null(
                    webhook_event_failover_url, Clearable.FAILOVER_URL, clear
                ),
                webhook_timeout_secs=_or_null(webhook_timeout_secs, Clearable.TIMEOUT_SECS, clear),
            ),
            as_json=as_json,
        ),
        base_url,
    )


def _refuse_nothing(*options: object) -> None:
    if all(option is None for option in options):
        raise typer.BadParameter("no field to change is given")


def _or_null(value: T | None, name: Clearable, cleared: Sequence[Clearable] | None) -> T | UnsetType | None:
    if name not in (cleared or ()):
        return given(value)
    if value is not None:
        raise typer.BadParameter(f"--{name} and --clear {name} contradict each other")
    return None


@group.command()
def sessions(
    room_id: RoomId,
    *,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    ended_at: EndedAt = None,
    active: Active = None,
    include_participants: IncludeParticipants = False,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the sessions of one room."""
    run(
        lambda client: show_list(
            client.rooms.sessions(
                room_id,
                created_at=created_at,
                updated_at=updated_at,
                ended_at=ended_at,
                active=active,
                include_participants=include_participants,
                page_size=enough(page_size, limit),
            ),
            RoomSession,
            of="room_id",
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def wait_for_session(
    room_id: RoomId, *, timeout: Timeout = TIMEOUT, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Wait until someone is in a room, and show the session."""
    run(
        lambda client: show_when_there(
            client.rooms.wait_for_session(room_id, timeout=timeout), seconds=timeout, as_json=as_json
        ),
        base_url,
    )
