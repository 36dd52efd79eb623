"""Middleware: functions of the user around every attempt of a call."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APIConnectionError,
    APITimeoutError,
    Attempt,
    CallNext,
    ConfigurationError,
    ConnectionLostError,
    InternalServerError,
    Middleware,
    Request,
    Response,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock

NewClient = Callable[..., RoomsClient]


def client_of(telnyx: Emulator, clock: FakeClock, *middleware: Middleware, **options: Any) -> RoomsClient:
    return RoomsClient(
        telnyx.api_key, base_url=telnyx.url, middleware=middleware, clock=clock.clock, **options
    )


async def test_middleware_surrounds_every_attempt_and_the_first_is_the_outermost(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    log: list[object] = []

    def logging_as(name: str) -> Middleware:
        async def log_attempt(request: Request, call_next: CallNext) -> Response:
            log.append((name, request.method, request.path))
            response = await call_next(request.with_headers({f"X-{name}": str(len(log))}))
            log.append((name, response.status))
            return response

        return log_attempt

    telnyx.seed(1)
    telnyx.inject(Fault(status=503))
    room_id = telnyx.rooms[0].id
    async with client_of(telnyx, fake_clock, logging_as("A"), logging_as("B")) as client:
        await client.rooms.retrieve(room_id)
    once = [("A", "GET", f"/rooms/{room_id}"), ("B", "GET", f"/rooms/{room_id}")]
    assert log == [*once, ("B", 503), ("A", 503), *once, ("B", 200), ("A", 200)]
    first, second = telnyx.requests
    assert (first.headers["x-a"], first.headers["x-b"]) == ("1", "2")
    assert (second.headers["x-a"], second.headers["x-b"]) == ("5", "6")


async def test_middleware_sees_extra_headers_but_not_the_key(telnyx: Emulator, fake_clock: FakeClock) -> None:
    seen: list[Request] = []

    async def record(request: Request, call_next: CallNext) -> Response:
        seen.append(request)
        return await call_next(request)

    async with client_of(telnyx, fake_clock, record, default_headers={"X-Team": "CANARY"}) as client:
        await client.with_options(query={"a": 1}, body={"b": 2}).rooms.create(unique_name="Weekly")
    (request,) = seen
    assert (request.headers, request.query) == ((("X-Team", "CANARY"),), (("a", "1"),))
    assert request.body == b'{"b":2,"unique_name":"Weekly"}'
    assert telnyx.api_key not in f"{request.headers} {request!r}"
    assert "CANARY" not in repr(request)


@pytest.mark.parametrize("name", ["Authorization", "content-length", "Host"])
async def test_middleware_cannot_replace_headers_of_the_client(
    telnyx: Emulator, fake_clock: FakeClock, name: str
) -> None:
    async def replace(request: Request, call_next: CallNext) -> Response:
        return await call_next(request.with_headers({name: "1"}))

    async with client_of(telnyx, fake_clock, replace) as client:
        with pytest.raises(ConfigurationError, match=name):
            await client.rooms.list().count()
    assert telnyx.requests == []


async def test_failure_is_an_exception_that_is_retried_when_it_passes(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    errors: list[APIConnectionError] = []

    async def record(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except APIConnectionError as error:
            errors.append(error)
            raise

    attempts: list[Attempt] = []
    telnyx.inject(Fault(cut="before"), times=4)
    async with client_of(telnyx, fake_clock, record, on_attempt=attempts.append) as client:
        with pytest.raises(ConnectionLostError) as caught:
            await client.rooms.list().count()
        assert await client.rooms.list().count() == 0
    assert [type(error) for error in errors] == [ConnectionLostError] * 4
    assert (errors[0].sent, errors[0].attempts) == (True, ())
    assert caught.value not in errors
    assert [attempt.failure for attempt in caught.value.attempts] == ["lost"] * 3
    assert len(attempts) == 5


async def test_middleware_can_return_another_response(telnyx: Emulator, fake_clock: FakeClock) -> None:
    async def serve_from_cache(request: Request, call_next: CallNext) -> Response:
        try:
            response = await call_next(request)
        except APIConnectionError:
            return Response(status=200, body=b'{"data": {"id": "cached"}}')
        return evolve(response, body=response.body.replace(b"Weekly", b"Daily"))

    async with client_of(telnyx, fake_clock, serve_from_cache) as client:
        room = await client.rooms.create(unique_name="Weekly")
        assert (room.unique_name, telnyx.rooms[0].unique_name) == ("Daily", "Weekly")
        telnyx.inject(Fault(cut="before"))
        assert (await client.rooms.retrieve("a-room")).id == "cached"


class TraceError(Exception):
    pass


async def test_exception_of_middleware_is_raised_without_a_retry(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    async def fail(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        raise TraceError("no span")

    async with client_of(telnyx, fake_clock, fail) as client:
        for _ in range(10):  # the place in the rate limiter is released
            with pytest.raises(TraceError, match="no span") as caught:
                await client.rooms.list().count()
        assert "raise TraceError" in "".join(caught.value.__notes__)
    assert len(telnyx.requests) == 10


async def test_error_of_the_library_that_middleware_raises_itself_is_not_retried(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    async def refuse(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except APIConnectionError as error:
            raise InternalServerError(500) from error

    telnyx.inject(Fault(cut="before"))
    async with client_of(telnyx, fake_clock, refuse) as client:
        with pytest.raises(InternalServerError):
            await client.rooms.list().count()
    assert len(telnyx.requests) == 1


@pytest.mark.parametrize("result", [None, 200, b""], ids=repr)
async def test_middleware_that_returns_no_response_is_named(
    telnyx: Emulator, fake_clock: FakeClock, result: Any
) -> None:
    async def forgets_the_response(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return result  # type: ignore[no-any-return]  # on purpose

    async with client_of(telnyx, fake_clock, forgets_the_response) as client:
        with pytest.raises(ConfigurationError, match="forgets_the_response must return"):
            await client.rooms.list().count()


async def test_time_of_middleware_counts_towards_the_timeout(telnyx: Emulator, fake_clock: FakeClock) -> None:
    async def dawdle(request: Request, call_next: CallNext) -> Response:
        await fake_clock.sleep(4)
        return await call_next(request)

    telnyx.inject(Fault(delay=float("inf")))
    with fake_clock.fast_forward():
        async with client_of(telnyx, fake_clock, dawdle, timeout=10, max_retries=0) as client:
            started = fake_clock.time()
            with pytest.raises(APITimeoutError):
                await client.rooms.list().count()
            assert fake_clock.time() - started == pytest.approx(10, abs=0.1)


async def test_cancellation_reaches_middleware_and_the_caller(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def record(request: Request, call_next: CallNext) -> Response:
        entered.set()
        try:
            return await call_next(request)
        finally:
            left.set()

    telnyx.inject(Fault(delay=float("inf")))
    async with client_of(telnyx, fake_clock, record) as client:
        call = asyncio.create_task(client.rooms.list().count())
        await entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert left.is_set()


async def test_middlewares_of_a_borrowed_session_run_inside(telnyx: Emulator, fake_clock: FakeClock) -> None:
    order: list[str] = []

    async def ours(request: Request, call_next: CallNext) -> Response:
        order.append("client")
        return await call_next(request.with_headers({"X-Correlation-Id": "7"}))

    async def of_session(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        order.append(request.headers["X-Correlation-Id"])
        request.headers["X-Session"] = "yes"
        return await handler(request)

    async with aiohttp.ClientSession(middlewares=[of_session]) as session:
        client = client_of(telnyx, fake_clock, ours, session=session)
        await client.rooms.list().count()
    assert order == ["client", "7"]
    assert telnyx.requests[0].headers["x-session"] == "yes"
