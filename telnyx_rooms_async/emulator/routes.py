"""Where a request leads: the rows of the endpoint table, the store of files, and nowhere."""

from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import frozen

from telnyx_rooms_async.core.endpoints import ENDPOINTS, Endpoint
from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.answers import answer
from telnyx_rooms_async.emulator.media import Links
from telnyx_rooms_async.emulator.operations import OPERATIONS, Arrival
from telnyx_rooms_async.emulator.queries import Query
from telnyx_rooms_async.emulator.refusals import RefusalError, not_found, not_implemented
from telnyx_rooms_async.emulator.script import DOWNLOAD, PUBLIC_KEY
from telnyx_rooms_async.emulator.store import Store

PREFIX: Final = "/v2"


@frozen
class Routes:
    """All that an account is reached by; a route has the name of its operation, and nowhere has none."""

    _account: Account
    _links: Links
    _public_key: Callable[[], str]

    def __iter__(self) -> Iterator[web.RouteDef]:
        for endpoint in ENDPOINTS:
            handler = self._handler(endpoint)
            yield web.route(endpoint.method, PREFIX + endpoint.path, handler, name=endpoint.operation)
        store = Store(self._account, self._links)
        yield web.get("/media/{file_id}", store.serve, name=DOWNLOAD, allow_head=False)
        yield web.get(f"{PREFIX}/public_key", self._show_key, name=PUBLIC_KEY, allow_head=False)
        yield web.route("*", "/{anything:.*}", _nowhere)

    def _handler(self, endpoint: Endpoint[object]) -> Handler:
        operation = OPERATIONS[endpoint.operation]

        async def handle(request: web.Request) -> web.Response:
            now = self._account.now()
            arrival = Arrival(
                account=self._account,
                now=now,
                ids=request.match_info,
                query=Query(request.query),
                body=await request.read(),
                link=partial(self._links.make, request.url.origin(), now),
            )
            try:
                return answer(endpoint.status, operation(arrival))
            except RefusalError as refused:
                return answer(refused.status, refused.body)

        return handle

    async def _show_key(self, _: web.Request) -> web.Response:
        try:
            key = self._public_key()
        except RuntimeError as error:
            refused = not_implemented(str(error))
            return answer(refused.status, refused.body)
        shown = {
            "record_type": "public_key",
            "public": key,
            "organization_id": self._account.organization_id,
        }
        return answer(HTTPStatus.OK, {"data": shown})


async def _nowhere(_: web.Request) -> web.Response:
    refused = not_found()
    return answer(refused.status, refused.body)
