"""People in rooms, over HTTP: a program in another process lets them join and leave, as a client SDK would.

Not part of Telnyx's API: ``POST /emulator/participants`` and ``DELETE /emulator/participants/{id}``.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from aiohttp import web
from attrs import frozen

from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.answers import answer
from telnyx_rooms_async.emulator.bodies import PERSON, Body
from telnyx_rooms_async.emulator.refusals import RefusalError, not_found, unprocessable_as_a_whole
from telnyx_rooms_async.emulator.views import participant_view

_PATH: Final = "/emulator/participants"
PEOPLE: Final = frozenset({"emulator:join", "emulator:leave"})
"""The names of these routes: neither a fault nor the rate limit is for them."""


@frozen
class People:
    """The routes by which people join and leave."""

    _account: Account

    def __iter__(self) -> Iterator[web.RouteDef]:
        yield web.post(_PATH, self._join, name="emulator:join")
        yield web.delete(f"{_PATH}/{{participant_id}}", self._leave, name="emulator:leave")

    async def _join(self, request: web.Request) -> web.Response:
        try:
            body = Body.read(await request.read())
            fields = body.take(PERSON, required=["room_id"])
            body.refuse_if_wrong()
            person = self._account.join(fields["room_id"], fields.get("context", ""))
        except RefusalError as error:
            refused = error
        except LookupError:
            refused = not_found()
        except ValueError as error:  # the room is full
            refused = unprocessable_as_a_whole(str(error))
        else:
            return answer(HTTPStatus.CREATED, {"data": participant_view(person)})
        return answer(refused.status, refused.body)

    async def _leave(self, request: web.Request) -> web.Response:
        try:
            self._account.leave(request.match_info["participant_id"])
        except LookupError:
            refused = not_found()
            return answer(refused.status, refused.body)
        return answer(HTTPStatus.NO_CONTENT, None)
