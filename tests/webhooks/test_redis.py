"""Several workers that know together what was handled: a real Redis, which also goes down."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis
from aiohttp import ClientSession
from attrs import define, field
from redis.asyncio import Redis

from telnyx_rooms_async import (
    ConfigurationError,
    Event,
    EventRouter,
    RoomSessionEnded,
    RoomSessionStarted,
    WebhookError,
)
from telnyx_rooms_async.webhooks.redis import SeenInRedis
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.unusual_values import UNUSUAL_STRINGS
from tests.helpers.web_servers import aiohttp_receiver

SERVER = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    SERVER is None, reason="there is no redis-server: `apt-get install redis-server` brings one"
)
WORKER = Path(__file__).parents[1] / "helpers" / "webhook_worker.py"


@define
class Store:
    """A redis-server of our own, on a socket in a folder."""

    path: str
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert SERVER is not None
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

    def stop(self) -> None:
        """Stop it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        """Let it answer nobody any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)


@pytest.fixture
def store() -> Iterator[Store]:
    """A Redis that runs."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        it = Store(f"{folder}/redis.sock")
        it.start()
        stack.callback(it.stop)
        yield it


@pytest.fixture
async def shared(store: Store) -> AsyncIterator[Redis]:
    """A client of it."""
    async with Redis(unix_socket_path=store.path) as client:
        yield client


@needs_redis
async def test_a_worker_claims_an_event(shared: Redis, fake_clock: FakeClock) -> None:
    """The first one who asks has the event; a second one waits, and is told that it is in hand."""
    first, second = (SeenInRedis(shared, clock=fake_clock.clock) for _ in range(2))
    assert not await first.seen("1")
    with pytest.raises(WebhookError, match="another worker is handling the event"):
        await second.seen("1")
    assert fake_clock.sleeps == [0.05, 0.1, 0.2, 0.4]
    await second.forget("1")  # it is not its own
    with pytest.raises(WebhookError):
        await second.seen("1")
    await first.keep("1")
    assert await second.seen("1")
    assert await first.seen("1")
    assert not await second.seen("2")


@needs_redis
@pytest.mark.parametrize("odd", UNUSUAL_STRINGS)
async def test_keys_are_made_of_exact_text(shared: Redis, odd: Callable[[str], str]) -> None:
    """Workers know an event by the text of its id, whatever the class of that and of the prefix."""
    store = SeenInRedis(shared, prefix=odd("events:"))
    assert not await store.seen(odd("1"))
    assert await shared.keys() == [b"events:1"]
    await store.keep(odd("1"))
    assert await store.seen("1")
    await store.forget(odd("2"))


@needs_redis
async def test_a_claim_is_given_up(shared: Redis) -> None:
    """After a failure another worker may have the event."""
    first, second = SeenInRedis(shared), SeenInRedis(shared)
    assert not await first.seen("1")
    await first.forget("1")
    assert not await second.seen("1")


FORK = """
import asyncio, os, sys
from redis.asyncio import Redis
from telnyx_rooms_async import WebhookError
from telnyx_rooms_async.webhooks.redis import SeenInRedis

seen = SeenInRedis(Redis(unix_socket_path=sys.argv[1]))

async def claim():
    try:
        print(os.getpid() != parent, await seen.seen("1"), flush=True)
    except WebhookError as error:
        print(error, flush=True)

parent = os.getpid()
for _ in range(2):
    if not os.fork():
        asyncio.run(claim())
        os._exit(0)
    os.wait()
"""


@needs_redis
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_claim_belongs_to_one_process_of_a_forked_server(store: Store) -> None:
    """A server may make the store before it forks its workers: a claim of one is not taken up by another."""
    command = [sys.executable, "-c", FORK, store.path]
    told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert told.splitlines() == [
        "True False",
        "the webhook cannot be taken: another worker is handling the event",
    ]


class SlowRedis(Redis):
    """A client that takes its time to set a key."""

    begun: asyncio.Event
    may_end: asyncio.Event

    async def set(self, *args: Any, **options: Any) -> Any:
        """Set a key when it is allowed to."""
        self.begun.set()
        await self.may_end.wait()
        return await super().set(*args, **options)


@needs_redis
async def test_completing_is_not_lost_to_a_cancellation(store: Store) -> None:
    """What is handled is noted, although whoever notes it is cancelled: the cancellation comes after that."""
    async with SlowRedis(unix_socket_path=store.path) as client:
        client.begun, client.may_end = asyncio.Event(), asyncio.Event()
        seen = SeenInRedis(client)
        task = asyncio.create_task(seen.keep("1"))
        await client.begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        client.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await SeenInRedis(client).seen("1")


async def set_user(client: Any, *rules: str) -> None:
    """Change what the user may do that every client is."""
    await client.execute_command("ACL", "SETUSER", "default", *rules)


@needs_redis
@pytest.mark.parametrize("rule", ["-eval", "-@scripting"])
async def test_redis_without_scripts_is_named(shared: Redis, rule: str) -> None:
    """Where an event was not handled and cannot be given up, the error says what is missing."""
    seen = SeenInRedis(shared)
    assert not await seen.seen("1")
    await set_user(shared, rule)
    with pytest.raises(ConfigurationError, match="needs scripts, but Redis refuses the command EVAL"):
        await seen.forget("1")
    with pytest.raises(ConfigurationError, match="needs scripts"):
        await SeenInRedis(shared).seen("1")


@needs_redis
@pytest.mark.parametrize("use", ["seen", "keep"])
async def test_redis_without_permission_is_named(shared: Redis, use: str) -> None:
    """A user of Redis that may not write is a mistake of its settings: no event can be taken."""
    await set_user(shared, "-set")
    with pytest.raises(ConfigurationError, match=r"needs access, but Redis denies it: .*set"):
        await getattr(SeenInRedis(shared), use)("1")


@needs_redis
@pytest.mark.parametrize("password", [None, "wrong-CANARY"])
async def test_redis_that_wants_another_password_is_named(
    store: Store, shared: Redis, password: str | None
) -> None:
    """A missing or wrong password is named, and shown nowhere: not by a frame of redis either."""
    await set_user(shared, "resetpass", ">right")
    async with Redis(unix_socket_path=store.path, password=password) as client:
        with pytest.raises(
            ConfigurationError, match="SeenInRedis needs access, but Redis denies it"
        ) as caught:
            await SeenInRedis(client, timeout=0.5).seen("1")
    assert "CANARY" not in "".join(reported_texts(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None


@needs_redis
async def test_redis_that_refuses_to_write_is_named(shared: Redis) -> None:
    """A replica, or a server without memory, answers: it does not count as one that does not."""
    await shared.config_set("maxmemory", "1")
    with pytest.raises(WebhookError, match=r"Redis refuses a command: .*maxmemory"):
        await SeenInRedis(shared).seen("1")


class Lossy(Redis):
    """A client whose next claim is carried out, while its answer is lost."""

    how: str | None = None

    async def set(self, *args: Any, **options: Any) -> Any:
        """Set a key."""
        answer = await super().set(*args, **options)
        how, self.how = self.how, None
        if how == "sent again":
            return await super().set(*args, **options)
        if how == "a timeout":
            raise redis.TimeoutError
        if how == "a cancellation":
            raise asyncio.CancelledError
        return answer


@needs_redis
@pytest.mark.parametrize(
    ("how", "error"),
    [("sent again", None), ("a timeout", WebhookError), ("a cancellation", asyncio.CancelledError)],
)
async def test_a_claim_whose_answer_is_lost(
    store: Store, fake_clock: FakeClock, how: str, error: type[BaseException] | None
) -> None:
    """It is the worker's own, and lasts as long as any: the next delivery need not wait for its end."""
    async with Lossy(unix_socket_path=store.path) as client:
        seen = SeenInRedis(client, clock=fake_clock.clock, lease=30)
        client.how = how
        if error is not None:
            with pytest.raises(error):
                await seen.seen("1")
            await client.pexpire("telnyx-rooms:event:1", 5_000)
        assert not await seen.seen("1")
        assert fake_clock.sleeps == []
        assert 29_000 < await client.pttl("telnyx-rooms:event:1") <= 30_000
        for other in (seen, SeenInRedis(client, clock=fake_clock.clock)):  # now it is in hand
            with pytest.raises(WebhookError, match="is handling the event"):
                await other.seen("1")
        await seen.keep("1")
        assert await seen.seen("1")


@needs_redis
async def test_an_event_is_claimed_again_by_who_gave_it_up(shared: Redis) -> None:
    """What failed here may be handled here."""
    seen = SeenInRedis(shared)
    for _ in range(2):
        assert not await seen.seen("1")
        await seen.forget("1")


@needs_redis
async def test_what_could_not_be_noted_may_be_handled_again(store: Store) -> None:
    """A worker that could not note what it has done is not in its own way afterwards."""
    async with Lossy(unix_socket_path=store.path) as client:
        seen = SeenInRedis(client)
        assert not await seen.seen("1")
        client.how = "a timeout"
        with pytest.raises(WebhookError):
            await seen.keep("1")
        await client.delete("telnyx-rooms:event:1")
        assert not await seen.seen("1")


@needs_redis
async def test_nothing_lasts_for_ever(shared: Redis) -> None:
    """A claim ends with its lease, and a handled event is forgotten after a day."""
    seen = SeenInRedis(shared, lease=30, remember=3600, prefix="mine:")
    await seen.seen("1")
    assert 29_000 < await shared.pttl("mine:1") <= 30_000
    await seen.keep("1")
    assert 3_599_000 < await shared.pttl("mine:1") <= 3_600_000
    gone = SeenInRedis(shared, lease=0.001)
    assert not await gone.seen("2")
    assert not await SeenInRedis(shared).seen("2")


@needs_redis
async def test_text_or_bytes(store: Store) -> None:
    """It does not matter whether the client decodes what Redis answers."""
    async with Redis(unix_socket_path=store.path, decode_responses=True) as client:
        seen = SeenInRedis(client)
        assert not await seen.seen("1")
        await seen.keep("1")
        assert await seen.seen("1")


def test_odd_options_are_refused() -> None:
    """Numbers are positive."""
    with pytest.raises(ConfigurationError, match="lease must be a positive number"):
        SeenInRedis(Redis(), lease=0)


@needs_redis
async def test_two_workers_handle_each_event_once(store: Store, telnyx_key: str) -> None:
    """Each event goes to both of two processes, some of it three times, at once, and is handled once.

    Like Telnyx, whoever posts tries again until the answer is 200.
    """
    async with ClientSession() as http:
        workers = [await started(store, telnyx_key, name) for name in "AB"]
        urls = [url for _, url in workers]
        events = [RoomSessionStarted(id=f"event {number}") for number in range(150)]
        posts = [(url, event) for event in events for url in urls]
        posts += [(urls[0], event) for event in events[::3]]
        random.Random(6).shuffle(posts)
        await asyncio.gather(*(deliver(http, url, event) for url, event in posts))
        for process, _ in workers:
            await process.communicate(b"")
            assert process.returncode == 0
    async with Redis(unix_socket_path=store.path, decode_responses=True) as client:
        handled = await client.lrange("handled", 0, -1)
        shares = [int(await client.get(f"by:{name}") or 0) for name in "AB"]
    assert sorted(handled) == sorted(event.id for event in events)
    assert sum(shares) == 150
    assert min(shares) > 0


async def started(store: Store, public_key: str, name: str) -> tuple[asyncio.subprocess.Process, str]:
    """Start a worker, and return it with its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WORKER,
        store.path,
        name,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TELNYX_PUBLIC_KEY": public_key, "PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{int(await process.stdout.readline())}"


@pytest.fixture
def telnyx_key() -> str:
    """What the workers verify with."""
    return PUBLIC_KEY


async def deliver(http: ClientSession, url: str, event: Event) -> None:
    """Post an event until the answer is 200."""
    body, headers = signed(event)
    for _ in range(50):
        async with http.post(url, data=body, headers=headers) as response:
            if response.status == 200:
                return
    raise AssertionError("it was never handled")


@needs_redis
@pytest.mark.parametrize("fault", ["stop", "hang"])
async def test_without_redis_events_are_delivered_again(
    store: Store, http: ClientSession, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While Redis is down, or hangs, no event is handled: the answer is 500, and 200 when it is back."""
    handled: list[Event] = []
    async with Redis(unix_socket_path=store.path) as client:
        router = EventRouter(seen=SeenInRedis(client, timeout=0.5))

        @router.on(Event)
        async def handle(event: Event) -> None:
            handled.append(event)

        async with aiohttp_receiver(router) as url:

            async def post(event: Event) -> int:
                body, headers = signed(event)
                async with http.post(f"{url}/telnyx/", data=body, headers=headers) as response:
                    return response.status

            one, two = RoomSessionEnded(id="1"), RoomSessionEnded(id="2")
            assert await post(one) == 200
            getattr(store, fault)()
            assert [await post(two), await post(two)] == [500, 500]
            assert handled == [one]
            store.stop()
            store.start()
            assert [await post(two), await post(two)] == [200, 200]
            assert handled == [one, two]
    assert "Redis does not respond" in caplog.text


@needs_redis
async def test_redis_that_fails_after_the_handler(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """When Redis goes down while an event is handled, the event counts as handled, and this is logged."""
    async with Redis(unix_socket_path=store.path) as client:
        router = EventRouter(seen=SeenInRedis(client, timeout=0.5))

        @router.on(Event)
        async def handle(_: Event) -> None:
            store.stop()

        assert await router.dispatch(RoomSessionEnded(id="1"))
    assert "the event store could not record whether an event was handled" in caplog.text


def test_without_the_extra_it_says_so() -> None:
    """Without redis the error names the extra."""
    program = "import sys; sys.modules['redis'] = None; import telnyx_rooms_async.webhooks.redis"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: SeenInRedis needs Redis: pip install 'telnyx-rooms-async[redis]'" in told.stderr
