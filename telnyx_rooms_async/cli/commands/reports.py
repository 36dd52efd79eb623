"""``telnyx-rooms reports``: the usage of the account, and ``attendance`` of sessions and rooms."""

from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Final, Unpack

import typer

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, RoomId, SessionId
from telnyx_rooms_async.cli.output import session_bar, status
from telnyx_rooms_async.cli.report_output import (
    Identity,
    Outputs,
    Since,
    Until,
    Zone,
    check_outputs,
    days,
    show_report,
)
from telnyx_rooms_async.cli.runner import exit_codes, grouped_options, run
from telnyx_rooms_async.reports import Attendance, Prices, Usage

group: Final = typer.Typer(name="reports", no_args_is_help=True, help="What the account has used.")


class By(StrEnum):
    """What has a row in a report of usage."""

    DAY = "day"
    MONTH = "month"
    ROOM = "room"


def _price(help_text: str) -> Any:  # noqa: ANN401 - Typer declares options as Any
    return typer.Option(metavar="PRICE", help=help_text)


@grouped_options
def session_attendance(
    session_id: SessionId,
    *,
    identity: Identity = None,
    zone: Zone = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in a session, and when they were present.

    A person has one line, however often it joined, and simultaneous stays count once.
    """

    async def read(client: RoomsClient) -> Attendance:
        return await client.sessions.attendance(session_id, identity=identity)

    with exit_codes():
        check_outputs(as_json=as_json, **outputs)
        show_report(run(read, base_url), as_json=as_json, zone=zone or UTC, **outputs)


@grouped_options
def room_attendance(
    room_id: RoomId,
    *,
    since: Since = None,
    until: Until = None,
    identity: Identity = None,
    zone: Zone = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in the sessions of a room."""

    async def read(client: RoomsClient) -> Attendance:
        with status("reading sessions"):
            return await client.rooms.attendance(room_id, created_at=days(since, until), identity=identity)

    with exit_codes():
        check_outputs(as_json=as_json, **outputs)
        show_report(run(read, base_url), as_json=as_json, zone=zone or UTC, **outputs)


@group.command()
@grouped_options
def usage(
    *,
    since: Since = None,
    until: Until = None,
    by: Annotated[By, typer.Option(help="What has a row.")] = By.DAY,
    zone: Zone = None,
    identity: Identity = None,
    journal: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Continue after an interruption: the same command with this file. Needs --since.",
        ),
    ] = None,
    price_per_minute: Annotated[str | None, _price("Price of a participant minute: 0.002.")] = None,
    price_per_recorded_minute: Annotated[str | None, _price("Price of a minute of a recording.")] = None,
    price_per_composed_minute: Annotated[str | None, _price("Price of a minute of a composition.")] = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show sessions, people, participant minutes, recordings.

    Minutes are rounded up for each participant and each file, as carriers bill them. Minutes after midnight
    count on the next day.
    """
    with exit_codes():
        check_outputs(as_json=as_json, **outputs)
        has_prices = (price_per_minute, price_per_recorded_minute, price_per_composed_minute) != (None,) * 3
        prices = Prices(
            participant_minute=price_per_minute or 0,
            recorded_minute=price_per_recorded_minute or 0,
            composed_minute=price_per_composed_minute or 0,
        )

        async def read(client: RoomsClient) -> Usage:
            with session_bar() as on_progress:
                return await client.reports.usage(
                    created_at=days(since, until),
                    by=by.value,
                    zone=zone or UTC,
                    identity=identity,
                    prices=prices if has_prices else None,
                    journal=journal,
                    progress=on_progress,
                )

        show_report(run(read, base_url), as_json=as_json, **outputs)
