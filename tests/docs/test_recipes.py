"""The recipes: each is written to its file and used. Libraries that are not installed have a stand-in."""

import asyncio
import re
import ssl
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import pytest
import trustme
from aiohttp import ClientSession

from telnyx_rooms_async import Attempt, ConnectError, NotFoundError, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.docs.test_quickstart import PROGRAMS
from tests.helpers.connect_proxy import BASE_URL, HOSTS, ConnectProxy
from tests.helpers.fault_server import FaultServer
from tests.helpers.guides import read_files, run
from tests.helpers.raw_server import running
from tests.helpers.room_store import SECRET_KEY
from tests.helpers.web_servers import run_asgi_app

FILES = read_files()
Load = Callable[..., Any]


@pytest.fixture
def load(account: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import the module of a recipe, in a folder with all files of the recipes and with an account."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    imported: list[str] = []

    def load(name: str, **stand_ins: dict[str, object]) -> ModuleType:
        if stand_ins and find_spec(next(iter(stand_ins))) is None:
            for dotted, members in stand_ins.items():
                path = dotted.replace("__", ".")
                module = ModuleType(path)
                vars(module).update(members, __path__=[])
                monkeypatch.setitem(sys.modules, path, module)
        imported.append(name)
        return import_module(name)

    yield load
    for name in imported:
        sys.modules.pop(name, None)


def test_each_recipe_has_a_test() -> None:
    tested = set(re.findall(r'load\(\s*"(\w+)"', Path(__file__).read_text()))
    others = {"test_main", "notebook"} | {name.removesuffix(".py") for name in PROGRAMS}
    assert {name.removesuffix(".py") for name in FILES if name.endswith(".py")} == tested | others


async def test_the_token_endpoint_returns_a_token_of_the_room(load: Load, telnyx: Emulator) -> None:
    telnyx.seed(1)
    app = load("meeting").app
    async with run_asgi_app(app) as url, ClientSession() as browser:
        room = f"{url}/rooms/{telnyx.rooms[0].id}"
        async with browser.post(f"{room}/token") as response:
            assert response.status == 200
            assert set(await response.json()) == {"token"}
        async with browser.post(f"{url}/rooms/0ccc7b54-4df3-4bca-a65a-3da1ecc777f0/token") as response:
            assert response.status == 404
        async with browser.get(room) as response:
            assert await response.text() == FILES["meeting.html"]


# Of the type declarations of @telnyx/video 1.0.2.
SDK_METHODS = {"on", "connect", "getLocalParticipant", "addSubscription", "getParticipantStream", "addStream"}
SDK_EVENTS = {"stream_published", "subscription_started"}


def test_the_page_uses_the_interface_of_the_browser_sdk() -> None:
    page = FILES["meeting.html"]
    assert set(re.findall(r"\broom\.(\w+)\(", page)) == SDK_METHODS
    assert set(re.findall(r'room\.on\("(\w+)"', page)) == SDK_EVENTS
    assert "initialize({ roomId, clientToken," in page
    assert "fetch(`/rooms/${roomId}/token`" in page


async def test_a_warm_lambda_function_uses_its_client_again(load: Load, telnyx: Emulator) -> None:
    function = load("function")
    first = await asyncio.to_thread(function.handler, {"name": "Weekly"}, None)
    again = await asyncio.to_thread(function.handler, {"name": "Weekly"}, None)
    assert first == again == telnyx.rooms[0].to_dict()
    await asyncio.to_thread(function.runner.run, function.client.close())
    await asyncio.to_thread(function.runner.close)


@pytest.mark.usefixtures("load")
async def test_the_cells_of_the_notebook_run(telnyx: Emulator) -> None:
    telnyx.seed(3)
    names: dict[str, Any] = {}
    await run(FILES["notebook.py"], names)
    assert names["rows"] == [room.to_dict() for room in telnyx.rooms]


class StandInCelery:
    """Celery with tasks that run when they are called, as in its eager mode."""

    def __init__(self, name: str) -> None:
        self.name = name

    def task(self, *, acks_late: bool) -> Callable[[Any], Any]:
        return lambda function: function


async def test_a_celery_task_that_is_delivered_twice_makes_one_room(load: Load, telnyx: Emulator) -> None:
    tasks = load("tasks", celery={"Celery": StandInCelery})
    opened = {await asyncio.to_thread(tasks.open_room, "Weekly") for _ in range(2)}
    assert opened == {telnyx.rooms[0].id}


class StandInCoordinator:
    """`DataUpdateCoordinator` of Home Assistant, which is generic, with its arguments."""

    def __class_getitem__(cls, item: object) -> type:
        return cls

    def __init__(self, hass: Any, logger: Any, *, name: str, config_entry: Any, update_interval: Any) -> None:
        self.hass = hass


class AuthFailed(Exception):  # noqa: N818 - ConfigEntryAuthFailed of Home Assistant
    pass


class UpdateFailed(Exception):  # noqa: N818 - of Home Assistant
    pass


class Entry:
    def __init__(self, api_key: str) -> None:
        self.data = {"api_key": api_key}


async def test_home_assistant_gets_rooms_or_its_own_errors(load: Load, telnyx: Emulator) -> None:
    telnyx.seed(3)
    async with ClientSession() as session:
        coordinator = load(
            "coordinator",
            homeassistant={},
            homeassistant__config_entries={"ConfigEntry": Entry},
            homeassistant__core={"HomeAssistant": object},
            homeassistant__exceptions={"ConfigEntryAuthFailed": AuthFailed},
            homeassistant__helpers={},
            homeassistant__helpers__aiohttp_client={"async_get_clientsession": lambda hass: session},
            homeassistant__helpers__update_coordinator={
                "DataUpdateCoordinator": StandInCoordinator,
                "UpdateFailed": UpdateFailed,
            },
        ).RoomsCoordinator
        polled = coordinator(object(), Entry(telnyx.api_key))
        assert await polled._async_update_data() == list(telnyx.rooms)
        telnyx.inject(Fault(status=400))
        with pytest.raises(UpdateFailed):
            await polled._async_update_data()
        with pytest.raises(AuthFailed):
            await coordinator(object(), Entry("KEYwrong"))._async_update_data()


class StandInLog:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append(("warning", event, fields))


async def test_structlog_gets_attempts_and_warns_of_retries(load: Load) -> None:
    log = StandInLog()
    logs = load("logs", structlog={"get_logger": lambda: log})
    logs.log = log
    async with logs.client as client:
        await client.rooms.list().count()
    logs.log_attempt(
        Attempt(
            operation="ListRooms", method="GET", template="/rooms", number=1, sent=False, elapsed=1, wait=2
        )
    )
    assert [(level, fields["operation"], fields["wait"]) for level, _, fields in log.lines] == [
        ("info", "ListRooms", None),
        ("warning", "ListRooms", 2),
    ]


async def test_sentry_groups_errors_by_operation_and_status(load: Load, client: RoomsClient) -> None:
    before_send = load("errors", sentry_sdk={"init": lambda before_send: None}).before_send
    with pytest.raises(NotFoundError) as raised:
        await client.rooms.delete("0ccc7b54-4df3-4bca-a65a-3da1ecc777f0")
    event = before_send({}, {"exc_info": (raised.type, raised.value, raised.tb)})
    assert event == {
        "fingerprint": ["telnyx", "DeleteRoom", "404"],
        "tags": {"telnyx_request_id": raised.value.request_id},
    }
    assert before_send({}, {"exc_info": (ConnectError, ConnectError(), None)}) == before_send({}, {}) == {}


class StandInS3:
    """The operation of a boto3 client that uploads a file."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str) -> None:
        self.objects[f"{bucket}/{key}"] = file.read()


async def test_recordings_are_uploaded(load: Load, client: RoomsClient, telnyx: Emulator) -> None:
    room = await client.rooms.create(unique_name="Recorded", enable_recording=True)
    telnyx.leave(telnyx.join(room.id).id)
    recordings = await client.recordings.list().all()
    s3 = StandInS3()
    await load("s3").archive(client, s3, "archive")
    assert len(s3.objects) == 2
    assert s3.objects == {
        f"archive/{recording.id}.{recording.type}": bytes(telnyx.media(recording.id))
        for recording in recordings
    }


async def test_check_of_the_network_names_the_variable_to_set(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check_network = load("check_network").check_network
    assert await check_network() == "connected: 0 rooms"
    monkeypatch.setenv("TELNYX_BASE_URL", "http://127.0.0.1:9/v2")
    assert (await check_network()).startswith("set TELNYX_PROXY, or open the firewall: ")

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("TELNYX_API_KEY", SECRET_KEY)
    monkeypatch.setenv("TELNYX_BASE_URL", BASE_URL)
    async with (
        running(FaultServer(tls=context)) as server,
        running(ConnectProxy(upstream_port=server.port)) as proxy,
    ):
        monkeypatch.setenv("TELNYX_PROXY", f"me@127.0.0.1:{proxy.port}")
        assert (await check_network()).startswith("set user and password in TELNYX_PROXY: ")
        monkeypatch.setenv("TELNYX_PROXY", f"{proxy.credentials}@127.0.0.1:{proxy.port}")
        assert (await check_network()).startswith("set TELNYX_CA_FILE, or TELNYX_CLIENT_CERT: ")
        monkeypatch.setenv("TELNYX_CA_FILE", "ca.pem")
        assert await check_network() == "connected: 1 rooms"
