"""HTTP routes: the operations of the API, files, the public key, and participants that join and leave."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import frozen

from telnyx_rooms_async.core.endpoints import ENDPOINTS, Endpoint
from telnyx_rooms_async.emulator import validation
from telnyx_rooms_async.emulator.faults import DOWNLOAD, PUBLIC_KEY
from telnyx_rooms_async.emulator.media import PresignedLinks, send_file
from telnyx_rooms_async.emulator.messages import api_error, json_response, not_found
from telnyx_rooms_async.emulator.operations import OPERATIONS, RequestContext
from telnyx_rooms_async.emulator.state import State

PREFIX: Final = "/v2"
CONTROL_ROUTES: Final = frozenset({"emulator:join", "emulator:leave"})
"""Names of the routes that are not part of Telnyx. Faults and the rate limit do not apply to them."""

_PARTICIPANTS: Final = "/emulator/participants"
_JOIN_CHECKS: Final = {"room_id": validation.text, "context": validation.text}


@frozen
class Routes:
    """Handlers of all requests. A route has the name of its operation; the route of all other paths has none.

    A handler raises `ApiError` for a response that is an error.
    """

    _state: State
    _links: PresignedLinks
    _public_key: Callable[[], str]

    def definitions(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(_PARTICIPANTS, self._join, name="emulator:join"),
            web.delete(f"{_PARTICIPANTS}/{{participant_id}}", self._leave, name="emulator:leave"),
            *(
                web.route(
                    endpoint.method, PREFIX + endpoint.path, self._handler(endpoint), name=endpoint.operation
                )
                for endpoint in ENDPOINTS
            ),
            web.get("/media/{file_id}", self._download, name=DOWNLOAD, allow_head=False),
            web.get(f"{PREFIX}/public_key", self._retrieve_public_key, name=PUBLIC_KEY, allow_head=False),
            web.route("*", "/{path:.*}", self._refuse),
        ]

    def _handler(self, endpoint: Endpoint[object]) -> Handler:
        operation = OPERATIONS[endpoint.operation]

        async def handle(request: web.Request) -> web.Response:
            now = self._state.now()
            context = RequestContext(
                state=self._state,
                now=now,
                path_ids=request.match_info,
                query=validation.Query(request.query),
                body=await request.read(),
                link=partial(self._links.create, request.url.origin(), now),
            )
            return json_response(endpoint.status, operation(context))

        return handle

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["file_id"]
        if not self._links.is_valid(file_id, request.query, self._state.now()):
            return web.Response(status=HTTPStatus.FORBIDDEN, text="The link is not valid or has expired.\n")
        file = self._state.file(file_id)
        if file is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="There is no such file.\n")
        return await send_file(request, file)

    async def _retrieve_public_key(self, _: web.Request) -> web.Response:
        try:
            public_key = self._public_key()
        except RuntimeError as error:  # the extra is not installed
            raise api_error(501, str(error)) from None
        organization_id = self._state.organization_id
        data = {"record_type": "public_key", "public": public_key, "organization_id": organization_id}
        return json_response(HTTPStatus.OK, {"data": data})

    async def _join(self, request: web.Request) -> web.Response:
        body = validation.read_body(await request.read(), _JOIN_CHECKS, required=["room_id"])
        try:
            participant = self._state.join(body["room_id"], body.get("context", ""))
        except LookupError:
            raise not_found() from None
        except ValueError as error:  # the room is full
            raise api_error(422, str(error)) from None
        return json_response(HTTPStatus.CREATED, {"data": participant.serialize()})

    async def _leave(self, request: web.Request) -> web.Response:
        try:
            self._state.leave(request.match_info["participant_id"])
        except LookupError:
            raise not_found() from None
        return json_response(HTTPStatus.NO_CONTENT, None)

    async def _refuse(self, _: web.Request) -> web.Response:
        raise not_found()
