"""The client: owns or borrows the session, and seats the resources."""

from collections.abc import Mapping, Sequence
from copy import copy
from types import TracebackType
from typing import Self

from attrs import asdict, evolve

from telnyx_rooms_async.core.custom_request import ACCOUNT_KEY, QueryValue, build_raw
from telnyx_rooms_async.core.frames import without_async_frames, without_frames
from telnyx_rooms_async.core.http_messages import RateLimit, Response
from telnyx_rooms_async.core.retry import RetryBudget, RetryPolicy
from telnyx_rooms_async.core.secret import hidden
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import OnAttempt
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.connection import (
    Session,
    TraceConfig,
    borrowed_loop,
    capacity,
    check_hooks,
    check_session,
)
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from telnyx_rooms_async.resources.compositions import Compositions
from telnyx_rooms_async.resources.participants import Participants
from telnyx_rooms_async.resources.recordings import Recordings
from telnyx_rooms_async.resources.rooms import Rooms
from telnyx_rooms_async.resources.sessions import Sessions
from telnyx_rooms_async.resources.tokens import Tokens
from telnyx_rooms_async.settings import (
    Settings,
    check_count,
    check_flags,
    check_patience,
    check_share,
    find_api_key,
    find_base_url,
)


class RoomsClient:
    """A client for the Telnyx Video Rooms API.

    ``async with RoomsClient() as client`` closes it at the end; so does ``await client.close()``. It can
    be made outside an event loop and opens nothing before its first call; then it belongs to that loop
    until that stops. Any number of tasks may share it.

    Args:
        api_key: ``TELNYX_API_KEY`` unless given. It appears in no repr, log or error.
        base_url: ``TELNYX_BASE_URL``, or that of Telnyx, unless given.
        session: an `aiohttp.ClientSession` to use and never to close. Its connector, its proxy and its
            cookies are then its owner's business.
        timeout: seconds for a whole call: its wait for a connection and for the rate limit, its attempts,
            and the pauses between them.
        attempt_timeout: seconds for one attempt; of these at most 5 for a connection.
        retry: how often and how patiently.
        max_connections: how many calls are in flight at once; others wait their turn. A borrowed session
            may allow fewer. Downloads have as many connections of their own.
        share: the part of the account's rate limit to keep to: 0.25 for each of four processes.
        read_only: whether all that is not a reading is refused before it is sent, `request` included.
        trust_env: whether ``https_proxy``, ``http_proxy``, ``all_proxy`` and ``no_proxy`` count. Not for a
            borrowed session, which has its owner's proxy; never for a base URL on this machine.
        allow_insecure: whether an ``http://`` base URL may lead to another machine; the variable
            ``TELNYX_ALLOW_INSECURE`` allows it too, with the text ``true``.
        on_attempt: called with an `Attempt` after each request, those for files included: metadata for
            your metrics. What it raises is logged.
        trace_configs: for the session of our own; aiohttp shows them each request, its key included.
        clock: for tests: where time, pauses and chance come from.

    Raises:
        ConfigurationError: an argument or a variable cannot be used. It does not show the key.
    """

    _base_url = "not made yet"  # a traceback may print a client whose arguments were refused

    @without_frames  # the base URL and the proxies of a session may hold credentials
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        session: Session | None = None,
        timeout: float = 45.0,
        attempt_timeout: float = 15.0,
        retry: RetryPolicy = RetryPolicy(),
        max_connections: int = 100,
        share: float = 1.0,
        read_only: bool = False,
        trust_env: bool = False,
        allow_insecure: bool = False,
        on_attempt: OnAttempt | None = None,
        trace_configs: Sequence[TraceConfig] = (),
        clock: Clock = Clock(),
    ) -> None:
        api_key = None if api_key is None else hidden(api_key)
        check_patience(timeout, attempt_timeout, retry)
        check_count(max_connections=max_connections)
        check_share(share)
        check_flags(read_only=read_only, trust_env=trust_env, allow_insecure=allow_insecure)
        check_session(session, trust_env=trust_env)
        check_hooks(session, on_attempt, trace_configs)
        self._base_url = find_base_url(base_url, allow_insecure=allow_insecure)
        rate_limiter = RateLimiter(capacity(session, max_connections), clock, share)
        in_flight_calls = InFlightCalls(borrowed_loop(session), rate_limiter.reset)
        transport = AiohttpTransport(
            api_key=find_api_key(api_key),
            base_url=self._base_url,
            session=session,
            in_flight_calls=in_flight_calls,
            max_connections=max_connections,
            trust_env=trust_env,
            trace_configs=trace_configs,
        )
        api = ApiSession(
            transport=transport,
            in_flight_calls=in_flight_calls,
            rate_limiter=rate_limiter,
            budget=RetryBudget(retry.budget),
            on_attempt=on_attempt,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            retry=retry,
            read_only=read_only,
            clock=clock,
        )
        self._seat(api)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        session: Session | None = None,
        on_attempt: OnAttempt | None = None,
        trace_configs: Sequence[TraceConfig] = (),
        clock: Clock = Clock(),
    ) -> Self:
        """Make a client of settings, which may have come from another process.

        Raises:
            ConfigurationError: one of the settings, or of the arguments, cannot be used.
        """
        return cls(
            session=session,
            on_attempt=on_attempt,
            trace_configs=trace_configs,
            clock=clock,
            **asdict(settings, recurse=False),
        )

    rooms: Rooms
    sessions: Sessions
    participants: Participants
    recordings: Recordings
    compositions: Compositions
    tokens: Tokens

    def _seat(self, api: ApiSession) -> None:
        self._api = api
        self.rooms = Rooms(api)
        self.sessions = Sessions(api)
        self.participants = Participants(api)
        self.recordings = Recordings(api)
        self.compositions = Compositions(api)
        self.tokens = Tokens(api)

    def __repr__(self) -> str:
        return f"<RoomsClient {self._base_url}>"

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the newest answer told of the account's rate limit; ``None`` before one did."""
        return self._api.rate_limiter.rate_limit

    def with_options(
        self,
        *,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        retry: RetryPolicy | None = None,
        read_only: bool = False,
    ) -> Self:
        """Return a view of this client with other patience: ``client.with_options(timeout=5)``.

        It shares the session, the rate limit and the budget for repetitions, so it costs next to nothing;
        closing one closes the other. `read_only` makes a view that is so; no view lifts it.

        Raises:
            ConfigurationError: a number is not positive, the policy is none, or `read_only` no boolean.
        """
        api = self._api
        timeout = api.timeout if timeout is None else timeout
        attempt_timeout = api.attempt_timeout if attempt_timeout is None else attempt_timeout
        retry = api.retry if retry is None else retry
        check_patience(timeout, attempt_timeout, retry)
        check_flags(read_only=read_only)
        api = evolve(api, timeout=timeout, attempt_timeout=attempt_timeout, retry=retry)
        return self._view(evolve(api, read_only=api.read_only or read_only))

    def _view(self, api: ApiSession) -> Self:
        view = copy(self)
        view._seat(api)  # noqa: SLF001 - one of us
        return view

    @without_async_frames  # `json` may hold a refresh token
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json: object = None,
    ) -> Response:
        """Make a call that this library has no verb for, with the same key, attempts and errors.

        One request, repeated on failure; a POST only when the server certainly did not act on it. A
        DELETE that is repeated and finds nothing has succeeded: its answer is that 404.

        Args:
            method: ``"GET"``, ``"POST"``, ``"PATCH"``, …
            path: below the base URL: ``"/rooms"``.
            query: names as on the wire: ``{"page[size]": 1}``.
            json: the body, unless ``None``.

        Raises:
            InvalidArgumentError: one of these cannot be sent.
            APIStatusError: the status is an error.
        """
        return await self._api.call(build_raw(method, path, query=query, json=json))

    async def public_key(self) -> str:
        """Fetch the account's public key: ``Webhooks(await client.public_key())``. One request."""
        return (await self._api.call(ACCOUNT_KEY)).public

    async def close(self, *, grace: float = 0.0) -> None:
        """End the client and its views. A borrowed session stays open. Doing it twice does no harm.

        Calls in flight raise `ClientClosedError`, though they may have been carried out.

        Args:
            grace: seconds to let the running calls end first, unless this is cancelled; new calls are refused
                at once.

        Raises:
            WrongEventLoopError: the client is in use by another event loop.
        """
        try:
            if grace > 0:
                await self._api.in_flight_calls.wait_idle(grace)
        finally:
            self._api.in_flight_calls.cancel_all()
            await self._api.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
