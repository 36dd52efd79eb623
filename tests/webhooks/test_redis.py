"""RedisEventStore with a real redis-server, which also crashes, hangs and denies access."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
import redis
from aiohttp import ClientSession
from attrs import define, field
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from telnyx_rooms_async import ConfigurationError, RoomsClient, WebhookError
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.aws_lambda import lambda_handler
from telnyx_rooms_async.policies import PolicyAction, RoomPolicy
from telnyx_rooms_async.webhooks import Event, EventRouter, RoomSessionEnded, RoomSessionStarted, Webhooks
from telnyx_rooms_async.webhooks.redis import RedisEventStore
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.unusual_values import UNUSUAL_STRINGS
from tests.helpers.web_servers import aiohttp_receiver

SERVER = shutil.which("redis-server")
WORKER = Path(__file__).parents[1] / "helpers" / "webhook_worker.py"


@define
class RedisServer:
    """A redis-server process on a Unix socket."""

    path: str
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        assert SERVER is not None, "redis-server is not installed"
        options = ["--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [SERVER, *options], stdout=subprocess.DEVNULL, cwd=Path(self.path).parent
        )
        while True:
            try:
                with redis.Redis(unix_socket_path=self.path) as client:
                    client.ping()
            except redis.ConnectionError:
                assert self.process.poll() is None
            else:
                return

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    """A running redis-server; in CI its absence is a failure."""
    if SERVER is None and not os.environ.get("CI"):
        pytest.skip("needs redis-server: apt-get install redis-server")
    with TemporaryDirectory() as folder:
        redis_server = RedisServer(f"{folder}/redis.sock")
        redis_server.start()
        yield redis_server
        redis_server.kill()


@pytest.fixture
def server(shared_server: RedisServer) -> Iterator[RedisServer]:
    """The server, whose data and settings are those of its start again after the test."""
    with redis.Redis(unix_socket_path=shared_server.path) as admin:
        admin.ping()  # a connection that keeps its permissions
        yield shared_server
        if shared_server.process is not None:
            set_up: list[Any] = ["ACL", "SETUSER", "default", "reset", "on", "nopass", "~*", "&*", "+@all"]
            admin.execute_command(*set_up)
            admin.config_set("maxmemory", "0")
            admin.flushall()


def client_of(server: RedisServer, **options: Any) -> Redis:
    """Make a client whose three retries follow each other without pauses."""
    return Redis(unix_socket_path=server.path, retry=Retry(NoBackoff(), 3), **options)


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Redis]:
    """A client of the server."""
    async with client_of(server) as redis_client:
        yield redis_client


@pytest.mark.parametrize("decode_responses", [False, True])
async def test_claimed_event_is_refused_to_other_workers_until_it_is_released_or_handled(
    server: RedisServer, fake_clock: FakeClock, *, decode_responses: bool
) -> None:
    async with client_of(server, decode_responses=decode_responses) as client:
        first, second = (RedisEventStore(client, clock=fake_clock.clock) for _ in range(2))
        for _ in range(2):
            assert await first.claim("1")
            await first.release("1")
        assert await first.claim("1")
        with pytest.raises(WebhookError, match="another worker is handling the event"):
            await second.claim("1")
        assert fake_clock.sleeps == [0.05, 0.1, 0.2, 0.4]
        await second.release("1")  # has no effect on a claim of another worker
        with pytest.raises(WebhookError):
            await second.claim("1")
        await first.complete("1")
        assert not await second.claim("1")
        assert not await first.claim("1")
        assert await second.claim("2")


@pytest.mark.parametrize("unusual", UNUSUAL_STRINGS)
async def test_keys_are_exact_text(client: Redis, unusual: Callable[[str], str]) -> None:
    store = RedisEventStore(client, prefix=unusual("events:"))
    assert await store.claim(unusual("1"))
    assert await client.keys() == [b"events:1"]
    await store.complete(unusual("1"))
    assert not await store.claim("1")
    await store.release(unusual("2"))


async def test_claims_and_handled_events_expire(client: Redis) -> None:
    store = RedisEventStore(client, lease=30, remember=3600, prefix="mine:")
    await store.claim("1")
    assert 0 < await client.pttl("mine:1") <= 30_000
    await store.complete("1")
    assert 30_000 < await client.pttl("mine:1") <= 3_600_000
    expired = RedisEventStore(client, lease=0.001)
    assert await expired.claim("2")
    await asyncio.sleep(0.002)
    assert await RedisEventStore(client).claim("2")


async def test_limit_forgets_the_oldest_handled_event(client: Redis) -> None:
    store = RedisEventStore(client, limit=3)
    for event_id in "abcde":
        assert await store.claim(event_id)
        await store.complete(event_id)
    await store.complete("e")  # repeated after a lost response
    assert not await store.claim("d")
    assert not await store.claim("e")
    assert len(await client.keys("telnyx-rooms:event:?")) <= 3
    assert await store.claim("a")
    for event_id in map(str, range(10)):  # a claim is not removed
        await store.complete(event_id)
    with pytest.raises(WebhookError, match="another worker is handling the event"):
        await RedisEventStore(client, clock=FakeClock().clock).claim("a")
    for limit in (20, 2):  # a lower limit takes effect gradually
        for number in range(20):
            await RedisEventStore(client, limit=limit).complete(f"{limit} {number}")
    assert len(await client.keys("telnyx-rooms:event:* *")) == 2


@pytest.mark.parametrize(
    "options", [{"lease": 0}, {"remember": -1}, {"timeout": None}, {"limit": 0.5}], ids=str
)
def test_options_must_be_positive(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a"):
        RedisEventStore(Redis(), **options)


async def test_forked_workers_do_not_share_claims(
    client: Redis, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisEventStore(client, clock=fake_clock.clock)
    assert await store.claim("1")
    monkeypatch.setattr(os, "getpid", lambda: -1)  # all that differs in a copy of the store
    with pytest.raises(WebhookError, match="another worker is handling the event"):
        await store.claim("1")


# --- lost responses and cancellations ---------------------------------------------------------------------


class FaultyRedis(Redis):
    """A client whose next command is sent twice, or loses its response."""

    fault: str | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        fault, self.fault, untyped = self.fault, None, cast("Any", super())
        response = await untyped.execute_command(*args, **options)
        if fault == "is sent twice":
            return await untyped.execute_command(*args, **options)
        if fault == "times out":
            raise redis.TimeoutError
        if fault == "is cancelled":
            raise asyncio.CancelledError
        return response


@pytest.fixture
async def faulty(server: RedisServer) -> AsyncIterator[FaultyRedis]:
    """A client with faults."""
    async with FaultyRedis(unix_socket_path=server.path) as client:
        yield client


@pytest.mark.parametrize(
    ("fault", "error"),
    [("is sent twice", None), ("times out", WebhookError), ("is cancelled", asyncio.CancelledError)],
)
async def test_claim_whose_response_is_lost_is_reused_and_extended(
    faulty: FaultyRedis, fake_clock: FakeClock, fault: str, error: type[BaseException] | None
) -> None:
    store = RedisEventStore(faulty, clock=fake_clock.clock, lease=30)
    faulty.fault = fault
    if error is not None:
        with pytest.raises(error):
            await store.claim("1")
        await faulty.pexpire("telnyx-rooms:event:1", 5_000)
    assert await store.claim("1")
    assert fake_clock.sleeps == []
    assert 5_000 < await faulty.pttl("telnyx-rooms:event:1") <= 30_000
    for other in (store, RedisEventStore(faulty, clock=fake_clock.clock)):
        with pytest.raises(WebhookError, match="is handling the event"):
            await other.claim("1")
    await store.complete("1")
    assert not await store.claim("1")


async def test_event_that_could_not_be_recorded_can_be_handled_again(faulty: FaultyRedis) -> None:
    store = RedisEventStore(faulty)
    assert await store.claim("1")
    faulty.fault = "times out"
    with pytest.raises(WebhookError):
        await store.complete("1")
    await faulty.delete("telnyx-rooms:event:1")
    assert await store.claim("1")


# --- errors of Redis --------------------------------------------------------------------------------------


async def set_permissions(client: Any, *rules: str) -> None:
    """Change the permissions of all clients."""
    await client.execute_command("ACL", "SETUSER", "default", *rules)


async def test_missing_permission_is_a_configuration_error(client: Redis) -> None:
    store = RedisEventStore(client)
    assert await store.claim("1")
    await set_permissions(client, "-eval")
    for call in (
        store.release("1"),
        RedisEventStore(client).claim("1"),
        RedisEventStore(client, limit=9).complete("1"),
    ):
        with pytest.raises(ConfigurationError, match=r"or a command that it needs: .* 'eval' command"):
            await call
    await set_permissions(client, "+eval", "-set")
    for call in (store.claim("2"), store.complete("2")):
        with pytest.raises(ConfigurationError, match="Redis denies RedisEventStore access"):
            await call


@pytest.mark.parametrize(
    "message",
    [
        "Error running script: @user_script:3: -NOPERM this user has no permissions to run the 'get' command",
        "The user executing the script can't run this command or subcommand script: 1, on @user_script:3.",
        "ACL failure in script: User default has no permissions to run the 'get' command script: 1",
        "unknown command `EVAL`, with args beginning with: ",
    ],
    ids=["Redis 6", "Redis 7.0", "Redis 7.2", "no scripts"],
)
async def test_denied_command_of_a_script_is_a_configuration_error(message: str) -> None:
    client = AsyncMock(Redis, eval=AsyncMock(side_effect=redis.ResponseError(message)))
    with pytest.raises(ConfigurationError, match="Redis denies RedisEventStore access"):
        await RedisEventStore(client).claim("1")


async def test_client_that_is_not_of_asyncio_is_a_configuration_error(server: RedisServer) -> None:
    with redis.Redis(unix_socket_path=server.path) as blocking:
        store = RedisEventStore(blocking)
        with pytest.raises(ConfigurationError, match=r"a client of redis\.asyncio"):
            await store.claim("1")


def test_function_that_makes_clients_serves_handlers_with_event_loops_of_their_own(
    server: RedisServer,
) -> None:
    router, handled = EventRouter(store=RedisEventStore(lambda: client_of(server))), list[str]()

    @router.on(RoomSessionEnded)
    async def handle(event: RoomSessionEnded) -> None:
        handled.append(event.id)

    handle_request = lambda_handler(router, Webhooks(PUBLIC_KEY))

    def deliver(event_id: str) -> int:
        body, headers = sign(RoomSessionEnded(id=event_id))
        response = handle_request({"httpMethod": "POST", "headers": headers, "body": body.decode()}, None)
        status: int = response["statusCode"]
        return status

    assert [deliver(event_id) for event_id in "aabb"] == [200] * 4
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(deliver, "cdef" * 4)) == [200] * 16
    assert sorted(handled) == list("abcdef")
    with redis.Redis(unix_socket_path=server.path) as admin:
        assert len(admin.client_list()) == 2  # those of the fixture and of this line


async def test_client_of_another_event_loop_is_a_configuration_error() -> None:
    client = AsyncMock(Redis, eval=AsyncMock(side_effect=RuntimeError("Event loop is closed")))
    with pytest.raises(ConfigurationError, match="belongs to another event loop: pass a function"):
        await RedisEventStore(client).claim("1")


@pytest.mark.parametrize("password", [None, "wrong-CANARY"])
async def test_wrong_password_is_a_configuration_error_that_does_not_show_it(
    server: RedisServer, client: Redis, password: str | None
) -> None:
    await set_permissions(client, "resetpass", ">right")
    async with client_of(server, password=password) as other:
        with pytest.raises(ConfigurationError, match="Redis denies RedisEventStore access") as caught:
            await RedisEventStore(other, timeout=60).claim("1")
    assert "CANARY" not in "".join(reported_texts(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_refused_command_is_not_reported_as_a_lost_connection(client: Redis) -> None:
    await client.config_set("maxmemory", "1")
    with pytest.raises(WebhookError, match=r"Redis refuses a command: .*maxmemory"):
        await RedisEventStore(client).claim("1")


async def test_redis_that_does_not_respond_is_an_error_after_the_timeout(
    server: RedisServer, client: Redis
) -> None:
    store = RedisEventStore(client, timeout=0.01)
    server.hang()
    with pytest.raises(WebhookError, match="Redis does not respond"):
        await store.claim("1")
    server.kill()
    server.start()


async def test_events_are_answered_with_500_while_redis_is_down(
    server: RedisServer, client: Redis, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    handled: list[Event] = []
    router = EventRouter(store=RedisEventStore(client, timeout=60))

    @router.on(Event)
    async def handle(event: Event) -> None:
        handled.append(event)

    async with aiohttp_receiver(router) as url:

        async def post(event: Event) -> int:
            body, headers = sign(event)
            async with http.post(f"{url}/telnyx/", data=body, headers=headers) as response:
                return response.status

        first, second = RoomSessionEnded(id="1"), RoomSessionEnded(id="2")
        assert await post(first) == 200
        server.kill()
        assert await post(second) == 500
        assert handled == [first]
        server.start()
        assert [await post(second), await post(second)] == [200, 200]
        assert handled == [first, second]
    assert "Redis does not respond" in caplog.text


# --- several processes ------------------------------------------------------------------------------------


async def test_two_worker_processes_handle_each_event_once(server: RedisServer, client: Redis) -> None:
    """Most events are sent to both workers, a third of them three times, until the status is 200."""
    async with ClientSession() as http:
        workers = await asyncio.gather(*(start_worker(server, name) for name in "AB"))
        urls = [url for _, url in workers]
        events = [RoomSessionStarted(id=f"event {number}") for number in range(60)]
        posts = [(url, event) for event in events[2:] for url in urls]
        posts += [(urls[0], event) for event in events[2::3]]
        posts += zip(urls, events[:2], strict=True)  # so that each worker handles an event
        random.Random(6).shuffle(posts)
        await asyncio.gather(*(post_until_accepted(http, url, event) for url, event in posts))
        await asyncio.gather(*(process.communicate(b"") for process, _ in workers))
        assert [process.returncode for process, _ in workers] == [0, 0]
    handled: Any = await client.lrange("handled", 0, -1)
    shares = [int(await client.get(f"by:{name}") or 0) for name in "AB"]
    assert sorted(map(bytes.decode, handled)) == sorted(event.id for event in events)
    assert sum(shares) == 60


async def start_worker(server: RedisServer, name: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WORKER,
        server.path,
        name,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TELNYX_PUBLIC_KEY": PUBLIC_KEY, "PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


async def post_until_accepted(http: ClientSession, url: str, event: Event) -> None:
    body, headers = sign(event)
    async with asyncio.timeout(60):
        while True:
            async with http.post(url, data=body, headers=headers) as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.01)


async def test_instances_that_share_a_redis_carry_out_policies_once(
    server: RedisServer, fake_clock: FakeClock
) -> None:
    policies = [RoomPolicy(max_duration=timedelta(hours=2), warn_before=timedelta(minutes=90))]
    warned, ended = list[str](), list[str]()

    async def warn(action: PolicyAction) -> None:
        warned.append(action.subject_id)

    async def enforce(telnyx: Emulator) -> None:
        async with (
            RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=fake_clock.clock) as rooms_client,
            Redis(unix_socket_path=server.path) as redis_client,
        ):
            store = RedisEventStore(redis_client)
            async for action in rooms_client.rooms.enforce(policies, once=True, store=store, on_warning=warn):
                if action.type == "end_session":
                    ended.append(action.subject_id)

    async with Emulator(clock=fake_clock) as telnyx:
        telnyx.seed(10)
        sessions = sorted(str(telnyx.join(room.id).session_id) for room in telnyx.rooms)
        for seconds in (3600, 3601):
            fake_clock.advance(seconds=seconds)
            for _ in range(2):  # also after a restart
                await asyncio.gather(enforce(telnyx), enforce(telnyx))
        ends = [request for request in telnyx.requests if request.method == "POST"]
    assert sorted(warned) == sorted(ended) == sessions
    assert len(ends) == len(sessions)
