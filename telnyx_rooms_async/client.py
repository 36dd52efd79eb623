"""`RoomsClient`: one session of the API, and the resources."""

import os
import ssl
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

from attrs import asdict, evolve, fields

from telnyx_rooms_async.core.endpoints import ACCOUNT_KEY
from telnyx_rooms_async.core.http_messages import Response
from telnyx_rooms_async.core.protocol import QueryValue, build, build_custom, extend_extras
from telnyx_rooms_async.core.retry import RetryBudget, RetryPolicy
from telnyx_rooms_async.core.secret import HiddenValue, without_async_frames, without_frames
from telnyx_rooms_async.core.validators import UNSET, UnsetType, exact_number
from telnyx_rooms_async.errors import RateLimit
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import OnAttempt, check_on_attempt
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.connection import (
    Proxies,
    Session,
    TraceConfig,
    borrowed_loop,
    capacity,
    check_session,
    check_trace_configs,
    find_tls,
    user_agent,
)
from telnyx_rooms_async.http.credentials import ApiKeyFunction, Credentials
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.middleware import Middleware, check_middleware
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from telnyx_rooms_async.settings import (
    Settings,
    check_count,
    check_flags,
    check_not_negative,
    check_share,
    check_type,
    find_api_key,
    find_base_url,
    find_retry_policy,
    hidden_key,
    hidden_option,
    timeout_seconds,
)

if TYPE_CHECKING:  # a program imports the resources that it uses, each when it is used first
    from telnyx_rooms_async.resources.compositions import Compositions
    from telnyx_rooms_async.resources.raw_responses import RawResponses
    from telnyx_rooms_async.resources.recordings import Recordings
    from telnyx_rooms_async.resources.reports import Reports
    from telnyx_rooms_async.resources.rooms import Rooms
    from telnyx_rooms_async.resources.sessions import Participants, Sessions
    from telnyx_rooms_async.resources.tokens import Tokens

_DEFAULT_RETRY: Final = RetryPolicy()
_OPTIONS: Final = frozenset(field.name for field in fields(Settings))


class RoomsClient:
    """A client for the Telnyx Video Rooms API.

    Close it with ``async with RoomsClient() as client`` or ``await client.close()``. It can be made outside
    an event loop, and opens nothing before its first call. It belongs to the event loop of that call until
    that loop has stopped. Any number of tasks may share it.

    Args:
        api_key: text, or a function or async function that returns it; by default the environment variable
            ``TELNYX_API_KEY``. It appears in no repr, log or error. The function is called before the first
            request, and again after a response with status 401, whose request is then repeated once.
            Concurrent calls share one call of it.
        base_url: by default the environment variable ``TELNYX_BASE_URL``, or the URL of Telnyx.
        session: an `aiohttp.ClientSession` to borrow, which is never closed. Its connector, proxy, cookies
            and middlewares are used as they are, and aiohttp may send a GET once more by itself. Make the
            client in the event loop of the session, and without options for TLS and proxies.
        timeout: seconds, or a `timedelta`, for a whole call: the wait for a connection and for the rate
            limit, the attempts, and the pauses between them. None for no limit.
        attempt_timeout: likewise for one attempt; at most 5 seconds of it for the connection.
        retry: how often, and after which pauses, failed requests are retried.
        max_retries: how often; the rest of the policy has its defaults, which are 2 retries. Either this or
            `retry`.
        default_headers: sent with every request, but not with downloads. The client's own headers, such as
            ``Authorization``, cannot be replaced. Values appear in no repr, log or error.
        user_agent_suffix: of the header ``User-Agent``: ``"my-app/1.2"``.
        max_connections: calls in flight at once; others are queued. A borrowed session may allow fewer.
            Downloads have as many connections of their own.
        rate_limit_share: the share of the account's rate limit that this client uses: 0.25 for each of four
            processes.
        read_only: whether every request that could change something is refused, `request` included.
        ca_file: path of a PEM file with CA certificates to trust, in addition to those of the system; by
            default the environment variable ``TELNYX_CA_FILE``.
        client_cert: path of a PEM file with a client certificate and its private key, for mutual TLS; by
            default the environment variable ``TELNYX_CLIENT_CERT``.
        ssl_context: the TLS context of all connections, instead of `ca_file` and `client_cert`.
        proxy: URL of the HTTP proxy of all requests, downloads included: ``"http://user:password@host:3128"``;
            by default the environment variable ``TELNYX_PROXY``, except for requests to this machine. The
            credentials appear in no repr, log or error.
        trust_env: without `proxy`, whether to use the proxies in ``https_proxy``, ``http_proxy``,
            ``all_proxy`` and ``no_proxy``; never for requests to this machine.
        allow_insecure: whether an ``http://`` base URL may lead to another machine, as with
            ``TELNYX_ALLOW_INSECURE=true``, and whether `ssl_context` may accept any certificate.
        on_attempt: called with an `Attempt` after each request, also those of downloads: metadata for
            metrics. An exception that it raises is logged.
        trace_configs: for the session of the client. aiohttp passes them each request with its API key. An
            `OSError` that they raise counts as a lost connection.
        middleware: async functions around every attempt of a call, the first one outermost:
            ``async def add_trace(request, call_next)`` returns ``await call_next(request)``. They are not
            called for downloads.
        clock: time, pauses and randomness, for tests.

    Raises:
        ConfigurationError: an argument or an environment variable is invalid. The API key is not shown.

    Example:
        >>> async with RoomsClient() as client:
        ...     room = await client.rooms.create("Retro")
    """

    _base_url = "not ready"  # a traceback may show a client whose arguments were refused

    @without_frames  # the base URL and the proxies of a session may hold credentials
    def __init__(
        self,
        api_key: str | ApiKeyFunction | None = None,
        *,
        base_url: str | None = None,
        session: Session | None = None,
        timeout: float | timedelta | None = 45.0,
        attempt_timeout: float | timedelta | None = 15.0,
        retry: RetryPolicy | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        user_agent_suffix: str | None = None,
        max_connections: int = 100,
        rate_limit_share: float = 1.0,
        read_only: bool = False,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | os.PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        allow_insecure: bool = False,
        on_attempt: OnAttempt | None = None,
        trace_configs: Sequence[TraceConfig] = (),
        middleware: Sequence[Middleware] = (),
        clock: Clock = Clock(),
    ) -> None:
        key = find_api_key(hidden_key(api_key))
        proxy = hidden_option(proxy)
        policy = find_retry_policy(_DEFAULT_RETRY, retry, max_retries)
        check_count(max_connections=max_connections)
        check_share(rate_limit_share)
        check_flags(read_only=read_only, trust_env=trust_env, allow_insecure=allow_insecure)
        check_session(
            session,
            trace_configs=trace_configs,
            ca_file=ca_file,
            client_cert=client_cert,
            ssl_context=ssl_context,
            proxy=proxy,
            trust_env=trust_env,
        )
        check_trace_configs(trace_configs)
        check_on_attempt(on_attempt)
        check_type("clock", clock, Clock)
        tls = None if session else find_tls(ssl_context, ca_file, client_cert, allow_insecure=allow_insecure)
        self._base_url = find_base_url(base_url, allow_insecure=allow_insecure)
        max_connections = capacity(session, int(max_connections))
        rate_limiter = RateLimiter(max_connections, clock, rate_limit_share)
        in_flight_calls = InFlightCalls(borrowed_loop(session))
        in_flight_calls.rate_limiters.add(rate_limiter)
        credentials = Credentials(key, user_agent(user_agent_suffix))
        transport = AiohttpTransport(
            base_url=self._base_url,
            session=session,
            in_flight_calls=in_flight_calls,
            max_connections=max_connections,
            tls=tls,
            proxies=None if session else Proxies(proxy, trust_env=trust_env),
            trace_configs=trace_configs,
            user_agent=credentials.user_agent,
        )
        self._api = ApiSession(
            transport=transport,
            credentials=credentials,
            in_flight_calls=in_flight_calls,
            rate_limiter=rate_limiter,
            budget=RetryBudget(policy.budget),
            on_attempt=on_attempt,
            timeout=timeout_seconds("timeout", timeout),
            attempt_timeout=timeout_seconds("attempt_timeout", attempt_timeout),
            retry=policy,
            read_only=read_only,
            clock=clock,
            extras=extend_extras(None, headers=default_headers, query=None, body=None),
            middleware=check_middleware(middleware),
        )

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        session: Session | None = None,
        ssl_context: ssl.SSLContext | None = None,
        on_attempt: OnAttempt | None = None,
        trace_configs: Sequence[TraceConfig] = (),
        middleware: Sequence[Middleware] = (),
        clock: Clock = Clock(),
    ) -> Self:
        """Make a client from settings and from the arguments of `RoomsClient` that they do not hold.

        Raises:
            ConfigurationError: a setting or an argument is invalid.

        Example:
            >>> async with RoomsClient.from_settings(Settings(timeout=10)) as client:
            ...     print(await client.rooms.list().count())
            2
        """
        return cls(
            session=session,
            ssl_context=ssl_context,
            on_attempt=on_attempt,
            trace_configs=trace_configs,
            middleware=middleware,
            clock=clock,
            **asdict(settings, recurse=False),  # not in a variable: error reports show these
        )

    @cached_property
    def rooms(self) -> "Rooms":
        """Rooms, and bulk operations on them."""
        from telnyx_rooms_async.resources.rooms import Rooms

        return Rooms(self._api)

    @cached_property
    def sessions(self) -> "Sessions":
        """Sessions of rooms, and what their participants may do."""
        from telnyx_rooms_async.resources.sessions import Sessions

        return Sessions(self._api)

    @cached_property
    def participants(self) -> "Participants":
        """Participants of all sessions."""
        from telnyx_rooms_async.resources.sessions import Participants

        return Participants(self._api)

    @cached_property
    def recordings(self) -> "Recordings":
        """Recordings, and the download of their files."""
        from telnyx_rooms_async.resources.recordings import Recordings

        return Recordings(self._api)

    @cached_property
    def compositions(self) -> "Compositions":
        """Compositions of recordings, and the download of their files."""
        from telnyx_rooms_async.resources.compositions import Compositions

        return Compositions(self._api)

    @cached_property
    def tokens(self) -> "Tokens":
        """Tokens with which people join a room."""
        from telnyx_rooms_async.resources.tokens import Tokens

        return Tokens(self._api)

    @cached_property
    def reports(self) -> "Reports":
        """Usage of the account."""
        from telnyx_rooms_async.resources.reports import Reports

        return Reports(self._api)

    if not TYPE_CHECKING:  # type checkers would accept the assignment of any attribute

        def __setattr__(self, name: str, value: object) -> None:
            if name in _OPTIONS:
                del value  # it may be the API key, and error reports show the variables of frames
                raise AttributeError(
                    f"{name} of a client cannot be changed: make a new client, or use with_options()"
                )
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<RoomsClient {self._base_url}>"

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit of the account as the newest response states it; None before that.

        Example:
            >>> telnyx.limit(100, seconds=60)  # the emulator
            >>> room = await client.rooms.retrieve(room_id)
            >>> client.rate_limit.remaining
            99
        """
        return self._api.rate_limiter.window.last_seen

    @without_frames  # headers, members and the API key may be secrets
    def with_options(
        self,
        *,
        timeout: float | timedelta | UnsetType | None = UNSET,
        attempt_timeout: float | timedelta | UnsetType | None = UNSET,
        retry: RetryPolicy | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: Mapping[str, object] | None = None,
        api_key: str | ApiKeyFunction | None = None,
        read_only: bool = False,
    ) -> Self:
        """Return a view of this client with other options: ``client.with_options(timeout=5)``.

        A view costs a few microseconds, and can be made for one call. It shares the session, the rate limit
        and the retry budget; closing it closes the client.

        Args:
            timeout: seconds, or a `timedelta`, for a whole call; None for no limit. Default: that of this
                client.
            attempt_timeout: likewise for one attempt.
            retry: the retry policy. Default: that of this client.
            max_retries: retries of a call; the rest of the policy is that of this client. Either this or
                `retry`.
            headers: sent with every request, in addition to those of this client. Values appear in no repr,
                log or error.
            query: query parameters that are added to every request.
            body: members that are added to the JSON body of every POST, PUT and PATCH request.
            api_key: the key of another account, or a function for it. The view has a rate limit and a retry
                budget of its own: keep it for as long as it is used.
            read_only: True for a read-only view; a view of a read-only client is always read-only.

        Raises:
            ConfigurationError: an option is invalid.

        Example:
            >>> impatient = client.with_options(timeout=2, max_retries=0)
            >>> room = await impatient.rooms.retrieve(room_id)
        """
        check_flags(read_only=read_only)
        api = self._api
        changes: dict[str, Any] = {
            "retry": find_retry_policy(api.retry, retry, max_retries),
            "extras": extend_extras(api.extras, headers=headers, query=query, body=body),
            "read_only": read_only or api.read_only,
        }
        if timeout is not UNSET:
            changes["timeout"] = timeout_seconds("timeout", timeout)
        if attempt_timeout is not UNSET:
            changes["attempt_timeout"] = timeout_seconds("attempt_timeout", attempt_timeout)
        if api_key is not None:
            rate_limiter = api.rate_limiter.for_other_account()
            api.in_flight_calls.rate_limiters.add(rate_limiter)
            changes |= {
                "credentials": Credentials(find_api_key(hidden_key(api_key)), api.credentials.user_agent),
                "rate_limiter": rate_limiter,
                "budget": RetryBudget(changes["retry"].budget),
            }
        return self._view(evolve(api, **changes))

    def _view(self, api: ApiSession) -> Self:
        view = object.__new__(type(self))
        vars(view).update({name: value for name, value in vars(self).items() if name not in _RESOURCES})
        view._api = api
        return view

    @cached_property
    def with_raw_response(self) -> "RawResponses":
        """The operations with the response of each: ``await client.with_raw_response.rooms.retrieve(id)``.

        Example:
            >>> response = await client.with_raw_response.rooms.retrieve(room_id)
            >>> response.status_code, response.value.unique_name
            (200, 'Weekly')
        """
        from telnyx_rooms_async.resources.raw_responses import RawResponses

        return RawResponses(self._api)

    # Not a coroutine function: a task that is cancelled before it starts keeps the arguments in its frame.
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json: object = None,
    ) -> Coroutine[Any, Any, Response]:
        """Make a custom call, with the same authentication, retries and errors as every other call.

        A POST is retried only if the server certainly did not process it. If the retry of a DELETE finds
        nothing, the call has succeeded, and its response is that 404.

        Args:
            method: ``"GET"``, ``"POST"``, ``"PATCH"``, …
            path: below the base URL: ``"/rooms"``.
            query: query parameters: ``{"page[size]": 1}``.
            json: the body; None for no body.

        Raises:
            InvalidArgumentError: an argument cannot be sent.
            APIStatusError: the response has an error status.

        Example:
            >>> response = await client.request("GET", "/rooms", query={"page[size]": 1})
            >>> response.status
            200
        """
        return self._request(method, path, query, HiddenValue(json))  # `json` may hold a refresh token

    @without_async_frames
    async def _request(
        self, method: str, path: str, query: Mapping[str, QueryValue] | None, json: HiddenValue
    ) -> Response:
        return await self._api.call(build_custom(method, path, query=query, json=json.value))

    async def public_key(self) -> str:
        """Return the public key that signs the webhooks of the account: one request.

        Example:
            >>> webhooks = Webhooks(await client.public_key())
        """
        return (await self._api.call(build(ACCOUNT_KEY))).public

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed, or a view of it: it makes no more calls.

        Example:
            >>> client.is_closed
            False
        """
        return self._api.in_flight_calls.is_closed

    async def close(self, *, grace: float = 0.0) -> None:
        """Close the client and its views. A borrowed session stays open. A second call has no effect.

        Calls in flight raise `ClientClosedError`; the server may have processed them.

        Args:
            grace: seconds to wait for running calls first; new calls are refused at once.

        Raises:
            ConfigurationError: the grace is not a number from 0.
            WrongEventLoopError: the client is in use by another event loop.

        Example:
            >>> client = RoomsClient()
            >>> await client.close(grace=10)
        """
        grace = exact_number(grace)
        check_not_negative(grace=grace)
        try:
            if grace > 0:
                await self._api.in_flight_calls.wait_idle(grace)
        finally:
            self._api.in_flight_calls.cancel_all()
            await self._api.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


_RESOURCES: Final = frozenset(
    name for name, value in vars(RoomsClient).items() if isinstance(value, cached_property)
)
