"""Tokens: the right to join a room, given and renewed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from telnyx_rooms_async.emulator.bodies import REFRESH, TOKEN, Body
from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.refusals import forbidden
from telnyx_rooms_async.emulator.views import View

_TOKEN_LASTS, _REFRESH_TOKEN_LASTS = 600, 3600


def _create(told: Arrival) -> View:
    room, body, grants = told.room, Body.read(told.body), told.account.grants
    asked = body.take(TOKEN)
    body.refuse_if_wrong()
    access = grants.access(room.id, asked.get("token_ttl_secs", _TOKEN_LASTS), told.now)
    refresh_lasts = asked.get("refresh_token_ttl_secs", _REFRESH_TOKEN_LASTS)
    refreshing = grants.refreshing(room.id, refresh_lasts, told.now)
    return {
        "data": {
            "token": access.token,
            "token_expires_at": _whole_second(access.expires_at),
            "refresh_token": refreshing.token,
            "refresh_token_expires_at": _whole_second(refreshing.expires_at),
        }
    }


def _refresh(told: Arrival) -> View:
    room, body, grants = told.room, Body.read(told.body), told.account.grants
    asked = body.take(REFRESH, required=["refresh_token"])
    body.refuse_if_wrong()
    if not grants.can_refresh(asked["refresh_token"], room.id, told.now):
        raise forbidden()
    access = grants.access(room.id, asked.get("token_ttl_secs", _TOKEN_LASTS), told.now)
    return {"data": {"token": access.token, "token_expires_at": _whole_second(access.expires_at)}}


def _whole_second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


OPERATIONS: Final[Mapping[str, Operation]] = {
    "CreateRoomClientToken": _create,
    "RefreshRoomClientToken": _refresh,
}
