"""``telnyx-rooms emulate``."""

import asyncio
import json
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiohttp import ClientSession

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault, load_faults
from telnyx_rooms_async.webhooks import Webhooks
from tests.helpers.command_line import WITHOUT_WEBHOOKS, Run, Start
from tests.helpers.webhook_listener import listen_for_webhooks


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


NAMES = """
import socket
find = socket.getaddrinfo
socket.getaddrinfo = lambda host, *args, **kwargs: find(host.replace("app", "127.0.0.1"), *args, **kwargs)
from telnyx_rooms_async.__main__ import main
main()
"""


def exports(process: subprocess.Popen[str], count: int = 3) -> dict[str, str]:
    """Return the variables that the emulator prints for a shell."""
    assert process.stdout is not None
    lines = [shlex.split(process.stdout.readline()) for _ in range(count)]
    assert {words[0] for words in lines} == {"export"}
    return dict(words[1].split("=", maxsplit=1) for words in lines)


@pytest.mark.parametrize(
    ("number", "options", "content"),
    [
        (signal.SIGINT, "--rooms 1000", "1000 rooms"),
        (signal.SIGTERM, "--history 7 --rooms 2", "2 rooms and a history of 7 days"),
    ],
)
def test_emulator_serves_until_it_is_stopped(
    run: Run, start: Start, number: signal.Signals, options: str, content: str
) -> None:
    emulator = start("emulate", "--port", "0", *options.split(), TELNYX_API_KEY="KEYown")
    variables = exports(emulator)
    assert list(variables) == ["TELNYX_API_KEY", "TELNYX_BASE_URL", "TELNYX_PUBLIC_KEY"]
    assert variables["TELNYX_API_KEY"] != "KEYown"
    Webhooks(variables["TELNYX_PUBLIC_KEY"])  # it is a valid key
    listed = run("rooms", "list", "--json", **variables).stdout
    assert len({json.loads(line)["id"] for line in listed.splitlines()}) == int(content.split(maxsplit=1)[0])
    sessions = run("sessions", "list", "--inactive", "--json", **variables).stdout.splitlines()
    assert (len(sessions) >= 2 * 5) == ("history" in content)
    emulator.send_signal(number)
    out, err = emulator.communicate()
    assert (emulator.returncode, out) == (0, "")
    url = variables["TELNYX_BASE_URL"]
    assert err == f"The emulator with {content} listens at {url}. Press Ctrl-C to stop.\n"


def test_variables_for_other_machines_are_quoted(start: Start) -> None:
    options = ("--host", "0.0.0.0", "--port", "0", "--public-url", "http://telnyx:8080/v2")
    emulator = start("emulate", *options, "--api-key", "it's $HOME")
    variables = exports(emulator, 4)
    assert variables.pop("TELNYX_PUBLIC_KEY")
    assert variables == {
        "TELNYX_API_KEY": "it's $HOME",
        "TELNYX_BASE_URL": "http://telnyx:8080/v2",
        "TELNYX_ALLOW_INSECURE": "true",
    }
    emulator.send_signal(signal.SIGTERM)
    assert "with 0 rooms" in emulator.communicate()[1]


def test_without_the_extra_there_is_no_public_key(start: Start) -> None:
    emulator = start("emulate", "--port", "0", program=WITHOUT_WEBHOOKS)
    assert list(exports(emulator, 2)) == ["TELNYX_API_KEY", "TELNYX_BASE_URL"]
    emulator.send_signal(signal.SIGTERM)
    assert emulator.communicate()[0] == ""


@pytest.mark.parametrize(("host", "local"), [("0.0.0.0", "http://127.0.0.1:"), ("::", "http://[::1]:")])
async def test_base_url_of_all_addresses_is_the_local_one(host: str, local: str) -> None:
    if host == "::" and not has_ipv6():
        pytest.skip("this machine has no ::1")
    async with Emulator(host=host) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        assert telnyx.url.startswith(local)
        assert await client.rooms.list().count() == 0


@pytest.mark.parametrize(
    ("options", "env"), [(["--allow-insecure"], {}), ([], {"TELNYX_ALLOW_INSECURE": "true"})]
)
def test_http_to_another_machine_must_be_allowed(
    run: Run, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch, options: list[str], env: dict[str, str]
) -> None:
    find = socket.getaddrinfo

    def find_container(host: str, *args: Any, **kwargs: Any) -> Any:
        return find("127.0.0.1" if host == "telnyx" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", find_container)
    telnyx.seed(1)
    url = {"TELNYX_BASE_URL": telnyx.url.replace("127.0.0.1", "telnyx")}
    result = run(*options, "rooms", "list", "--json", **url, **env)
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert "set TELNYX_ALLOW_INSECURE=true" in run("rooms", "list", **url).stderr
    assert len(telnyx.requests) == 1


async def test_webhooks_go_to_other_machines_if_allowed(start: Start) -> None:
    emulator = start("emulate", "--port", "0", "--deliver-anywhere", program=(sys.executable, "-c", NAMES))
    variables = await asyncio.to_thread(exports, emulator)
    key, url = variables["TELNYX_API_KEY"], variables["TELNYX_BASE_URL"]
    async with (
        listen_for_webhooks() as app,
        listen_for_webhooks() as failover,
        RoomsClient(key, base_url=url) as client,
        ClientSession(url.removesuffix("v2"), headers={"Authorization": f"Bearer {key}"}) as control,
    ):
        room = await client.rooms.create(
            webhook_event_url=app.url.replace("127.0.0.1", "app"), webhook_event_failover_url=failover.url
        )
        body = {"room_id": room.id, "context": "Alice"}
        async with control.post("emulator/participants", json=body) as response:
            assert response.status == 201
            alice = (await response.json())["data"]
        async with control.delete(f"emulator/participants/{alice['id']}") as response:
            assert response.status == 204
        async with asyncio.timeout(60):
            while len(app.received) < 4:
                await asyncio.sleep(0.01)
    assert sorted(app.event_types) == [
        "participant.joined",
        "participant.left",
        "session.ended",
        "session.started",
    ]
    app.received[0].verify(variables["TELNYX_PUBLIC_KEY"])
    assert failover.received == []


def test_faults_of_a_file_are_injected(run: Run, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(
        '[{"operation": "DeleteRoom", "cut": "after"}, {"limit": {"requests": 3, "seconds": 1000}}]'
    )
    variables = exports(start("emulate", "--port", "0", "--rooms", "1", "--faults", str(file)))
    (room,) = map(json.loads, run("rooms", "list", "--json", **variables).stdout.splitlines())
    result = run("rooms", "delete", room["id"], "--json", **variables)
    assert (result.exit_code, result.output) == (0, "")
    result = run("rooms", "list", "--json", **variables)
    assert result.exit_code == 1
    assert "429" in result.stderr


def test_invalid_faults_are_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    command = ("emulate", "--port", "0", "--faults", str(file))
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot read {file}: No such file or directory\n"
    for text, problem in (("[", "JSON"), ('[{"status": 500}, {"status": "500"}, {"times": 0}]', "entry 2: ")):
        file.write_text(text)
        result = run(*command)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert result.stderr.startswith(f"error: {file}: ")
        assert problem in result.stderr
    assert "; entry 3: " in result.stderr


def test_help_has_every_field_of_a_fault_and_an_example(run: Run) -> None:
    text = run("emulate", "--help", COLUMNS="80").stdout
    assert {field.name for field in attrs.fields(Fault)} <= set(text.split())
    example = text[text.index("[{") : text.index("}}]") + 3]
    load_faults(Emulator(), example.encode())


# --- addresses ----------------------------------------------------------------------------------------------


def test_port_in_use_is_one_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = run("emulate", "--port", str(port))
    reason = "Address already in use; use --port 0 for a free port"
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot listen on 127.0.0.1:{port}: {reason}\n"


def test_unknown_host_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_none)
    result = run("emulate", "--host", "unknown.invalid")
    message = "error: cannot listen on unknown.invalid:8080: Name or service not known\n"
    assert (result.exit_code, result.stderr) == (1, message)


@pytest.mark.parametrize("command", [("emulate",), ("webhooks", "listen")])
@pytest.mark.parametrize("host", ["a..b", "\udcff"])
def test_host_that_cannot_be_a_name_is_one_line(run: Run, command: tuple[str, ...], host: str) -> None:
    result = run(*command, "--host", host, "--port", "1")
    assert result.exit_code == 1
    assert result.stderr.endswith(":1: not a host name\n")


@pytest.mark.parametrize(
    "options",
    [
        "--port 65536",
        "--port http",
        "--rooms -1",
        "--history 0",
        "--history 1 --rooms 0",
        "--port 0 --public-url telnyx",
    ],
)
def test_invalid_options(run: Run, options: str) -> None:
    assert run("emulate", *options.split()).exit_code == 2
