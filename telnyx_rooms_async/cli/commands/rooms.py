"""``telnyx-rooms rooms``: one command per method of ``client.rooms``, one option per parameter."""

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
    LostResponse,
    MaxParticipants,
    OfName,
    OnLostResponse,
    PageSize,
    RoomId,
    Timeout,
    UniqueName,
    UpdatedAt,
    WebhookEventFailoverUrl,
    WebhookEventUrl,
    WebhookTimeoutSecs,
    limited_page_size,
    unset_if_none,
)
from telnyx_rooms_async.cli.output import show_awaited, show_list, show_one
from telnyx_rooms_async.cli.runner import run

T = TypeVar("T")

group: Final = typer.Typer(name="rooms", no_args_is_help=True, help="Rooms and their sessions.")


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
                page_size=limited_page_size(page_size, limit),
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
    on_lost_response: OnLostResponse = LostResponse.FIND,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Create a room, and show it.

    A room without a name cannot be found if the response is lost.
    """
    run(
        lambda client: show_one(
            client.rooms.create(
                unique_name=unset_if_none(unique_name),
                max_participants=unset_if_none(max_participants),
                enable_recording=unset_if_none(enable_recording),
                webhook_event_url=unset_if_none(webhook_event_url),
                webhook_event_failover_url=unset_if_none(webhook_event_failover_url),
                webhook_timeout_secs=unset_if_none(webhook_timeout_secs),
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
    """Change fields of a room, and show the room.

    Fields without an option stay unchanged.
    """
    _require_a_field(
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
                unique_name=unset_if_none(unique_name),
                max_participants=unset_if_none(max_participants),
                enable_recording=unset_if_none(enable_recording),
                webhook_event_url=unset_if_none(webhook_event_url),
                webhook_event_failover_url=_or_null(
                    webhook_event_failover_url, Clearable.FAILOVER_URL, clear
                ),
                webhook_timeout_secs=_or_null(webhook_timeout_secs, Clearable.TIMEOUT_SECS, clear),
            ),
            as_json=as_json,
        ),
        base_url,
    )


def _require_a_field(*options: object) -> None:
    if all(option is None for option in options):
        raise typer.BadParameter("pass at least one field to change")


def _or_null(value: T | None, name: Clearable, cleared: Sequence[Clearable] | None) -> T | UnsetType | None:
    if name not in (cleared or ()):
        return unset_if_none(value)
    if value is not None:
        raise typer.BadParameter(f"--{name} and --clear {name} cannot be combined")
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
                page_size=limited_page_size(page_size, limit),
            ),
            RoomSession,
            omit="room_id",
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def wait_for_session(
    room_id: RoomId, *, timeout: Timeout = TIMEOUT, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Wait for a session in a room, and show it."""
    run(
        lambda client: show_awaited(
            client.rooms.wait_for_session(room_id, timeout=timeout), timeout=timeout, as_json=as_json
        ),
        base_url,
    )
