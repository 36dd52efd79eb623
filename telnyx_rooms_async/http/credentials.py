"""The API key of a client: fixed text, or the result of a function, with the headers that contain it."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias

from multidict import CIMultiDict

from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import is_quoted, is_visible_ascii
from telnyx_rooms_async.errors import ConfigurationError

ApiKeyFunction: TypeAlias = Callable[[], str | Awaitable[str]]
"""Returns the API key, or an awaitable of it."""


def check_api_key(key: Secret) -> Secret:
    """Return an API key that can be sent in a header.

    Raises:
        ConfigurationError: it cannot. It is not shown.
    """
    if is_quoted(key):
        raise ConfigurationError("the API key must stand without quotes around it")
    if not is_visible_ascii(key):
        raise ConfigurationError("the API key must be text of visible ASCII characters, without a space")
    return key


class Credentials:
    """An API key with the headers of requests, which are made once for each key.

    A function for the key is called before the first request, and again after a response with status 401.
    Concurrent calls of the client share one call of the function, which runs in one of them: there is no
    background task. When that call is cancelled, another one calls the function again.
    """

    def __init__(self, api_key: Secret | ApiKeyFunction, user_agent: str) -> None:
        self.user_agent = user_agent
        self.is_valid: bool = False
        """Whether requests may be sent with the key: always, if it is fixed."""
        self.version: int = 0
        """How many keys there were."""
        self._lookup: asyncio.Future[None] | None = None
        """Done when the running call of the function has ended; cancelled if it was cancelled."""
        self._function: ApiKeyFunction | None = None
        if isinstance(api_key, Secret):
            self._use(api_key)
        else:
            self._function = api_key

    def reject(self, version: int) -> bool:
        """Take note of a 401 to a request with a key; return whether a function can return another key."""
        if self._function is not None and version == self.version:
            self.is_valid = False
        return self._function is not None

    async def renew(self) -> None:
        """Call the function for the key, or wait for its running call, until the key is valid.

        Raises:
            ConfigurationError: the function returned nothing that can be sent as a key.
            Exception: of the function.
        """
        function = self._function
        while function is not None and not self.is_valid:
            lookup = self._lookup
            if lookup is None or lookup.get_loop() is not asyncio.get_running_loop():
                await self._look_up(function)
            else:
                await asyncio.wait((lookup,))
                if not lookup.cancelled():
                    lookup.result()

    async def _look_up(self, function: ApiKeyFunction) -> None:
        self._lookup = lookup = asyncio.get_running_loop().create_future()
        try:
            key = function()
            self._use(check_api_key(hidden(await key if isawaitable(key) else key)))
            lookup.set_result(None)
        except Exception as error:  # of the function: raised in the waiting calls too
            lookup.set_exception(error)
            lookup.exception()  # there may be no waiting call
            raise
        finally:
            self._lookup = None
            lookup.cancel()  # unless it is done

    def _use(self, key: Secret) -> None:
        self.key: Secret = key
        # A plain str: a recorder of HTTP traffic such as vcrpy can save no other type.
        self.headers: CIMultiDict[str] = CIMultiDict({"Authorization": f"Bearer {key}"})
        self.json_headers: CIMultiDict[str] = CIMultiDict(
            {**self.headers, "Content-Type": "application/json"}
        )
        self.version += 1
        self.is_valid = True

    def keyed_digest(self, message: bytes) -> str:
        """Return a digest of a message that depends on a fixed key: 32 hex digits.

        The result of a function is another key of the same account each time, and is left out.
        """
        import hmac  # noqa: PLC0415 - few programs keep a journal

        key = b"" if self._function is not None else self.key.encode()
        return hmac.digest(key, message, "sha256")[:16].hex()
