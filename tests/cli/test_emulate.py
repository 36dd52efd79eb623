"""``telnyx-rooms emulate``: a server for the time being."""

import asyncio
import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from aiohttp import ClientSession
from typer.testing import Result

from telnyx_rooms_async import RoomsClient, Settings, Webhooks
from telnyx_rooms_async.emulator import Emulator, Fault, load_script
from tests.helpers.webhook_listener import listen_for_webhooks

Run = Callable[..., Result]
Start = Callable[..., subprocess.Popen[str]]


def has_ipv6() -> bool:
    """Tell whether this machine has addresses of that kind."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


ED25519 = "cryptography.hazmat.primitives.asymmetric.ed25519"
WITHOUT_THE_EXTRA = (
    sys.executable,
    "-c",
    f"import sys; sys.modules[{ED25519!r}] = None; from telnyx_rooms_async.__main__ import main; main()",
)


def exports(process: subprocess.Popen[str], count: int = 3) -> dict[str, str]:
    """Read the lines for the shell."""
    assert process.stdout is not None
    lines = [shlex.split(process.stdout.readline()) for _ in range(count)]
    assert {words[0] for words in lines} == {"export"}
    return dict(words[1].split("=", maxsplit=1) for words in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(start: Start, number: signal.Signals) -> None:
    """It says how to reach it, serves, and ends well by Ctrl-C or SIGTERM."""
    emulator = start("emulate", "--port", "0", "--rooms", "1000")
    variables = exports(emulator)
    assert list(variables) == ["TELNYX_API_KEY", "TELNYX_BASE_URL", "TELNYX_PUBLIC_KEY"]
    Webhooks(variables["TELNYX_PUBLIC_KEY"])  # it is a key
    listed, errors = start("rooms", "list", "--json", **variables).communicate()
    assert errors == ""
    assert len({json.loads(line)["id"] for line in listed.splitlines()}) == 1000
    emulator.send_signal(number)
    out, err = emulator.communicate()
    assert (emulator.returncode, out) == (0, "")
    url = variables["TELNYX_BASE_URL"]
    assert err == f"The emulator with 1000 rooms listens at {url}. Press Ctrl-C to stop.\n"


def test_the_lines_are_for_a_shell(start: Start) -> None:
    """A shell reads the key as it is, whatever is in it; without --rooms the account is empty."""
    emulator = start("emulate", "--port", "0", "--api-key", "it's $HOME")
    assert exports(emulator)["TELNYX_API_KEY"] == "it's $HOME"
    emulator.send_signal(signal.SIGTERM)
    assert "with 0 rooms" in emulator.communicate()[1]


def test_without_the_extra(start: Start) -> None:
    """Where no webhook can be signed, there is no key to verify it by, and the rest is served."""
    emulator = start("emulate", "--port", "0", program=WITHOUT_THE_EXTRA)
    assert list(exports(emulator, 2)) == ["TELNYX_API_KEY", "TELNYX_BASE_URL"]
    emulator.send_signal(signal.SIGTERM)
    assert emulator.communicate()[0] == ""


def test_a_key_is_made_up(start: Start) -> None:
    """The developer's own key is neither used nor shown: two emulators make up two."""
    keys = {
        exports(start("emulate", "--port", "0", TELNYX_API_KEY="KEYown"))["TELNYX_API_KEY"] for _ in range(2)
    }
    assert len(keys) == 2
    assert "KEYown" not in keys


@pytest.mark.parametrize(
    ("host", "here"),
    [("0.0.0.0", "http://127.0.0.1:"), pytest.param("::", "http://[::1]:", marks=NEEDS_IPV6)],
)
def test_everywhere_is_here_for_a_client(start: Start, host: str, here: str) -> None:
    """Listening on all addresses, it tells one that a client can go to."""
    variables = exports(start("emulate", "--host", host, "--port", "0"))
    assert variables["TELNYX_BASE_URL"].startswith(here)
    process = start("rooms", "list", "--json", **variables)
    assert process.communicate() == ("", "")
    assert process.returncode == 0


NAMES = """
import socket
find = socket.getaddrinfo
def find_names(host, *args, **kwargs):
    return find("127.0.0.1" if host in ("telnyx", "app") else host, *args, **kwargs)
socket.getaddrinfo = find_names
from telnyx_rooms_async.__main__ import main
main()
"""
IN_A_CONTAINER = (sys.executable, "-c", NAMES)
"""The program where other containers have names."""


def test_it_says_how_other_machines_reach_it(start: Start) -> None:
    """With --public-url the lines for the shell are for clients in other containers."""
    options = ("--host", "0.0.0.0", "--port", "0", "--public-url", "http://telnyx:8080/v2")
    emulator = start("emulate", *options, "--api-key", "KEYlocal")
    variables = exports(emulator, 4)
    assert variables.pop("TELNYX_PUBLIC_KEY")
    assert variables == {
        "TELNYX_API_KEY": "KEYlocal",
        "TELNYX_BASE_URL": "http://telnyx:8080/v2",
        "TELNYX_ALLOW_INSECURE": "true",
    }
    RoomsClient.from_settings(
        Settings(api_key="KEY", base_url=variables["TELNYX_BASE_URL"], allow_insecure=True)
    )


def test_a_public_url_that_is_none(run: Run) -> None:
    """It is a wrong argument, in one line."""
    result = run("emulate", "--port", "0", "--public-url", "telnyx")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: --public-url must be a base URL such as http://telnyx:8080/v2\n"


@pytest.mark.parametrize(
    ("options", "env"), [(["--allow-insecure"], {}), ([], {"TELNYX_ALLOW_INSECURE": "true"})]
)
def test_a_client_in_another_container(
    start: Start, telnyx: Emulator, options: list[str], env: dict[str, str]
) -> None:
    """A command reaches the emulator by the name of its container when it is allowed to, and only then."""
    telnyx.seed(1)
    env = {"TELNYX_BASE_URL": telnyx.url.replace("127.0.0.1", "telnyx"), **env}
    listed = start(*options, "rooms", "list", "--json", program=IN_A_CONTAINER, **env)
    out, err = listed.communicate()
    assert (listed.returncode, err) == (0, "")
    assert [json.loads(line)["unique_name"] for line in out.splitlines()] == ["Room 1"]
    refused = start("rooms", "list", program=IN_A_CONTAINER, TELNYX_BASE_URL=env["TELNYX_BASE_URL"])
    assert "set TELNYX_ALLOW_INSECURE=true" in refused.communicate()[1]
    assert len(telnyx.requests) == 1


@pytest.mark.parametrize("anywhere", [True, False])
async def test_webhooks_for_another_container(start: Start, *, anywhere: bool) -> None:
    """People join and leave over HTTP; webhooks go to a container's name with --deliver-anywhere only."""
    options = ["--deliver-anywhere"] if anywhere else []
    emulator = start("emulate", "--port", "0", *options, program=IN_A_CONTAINER)
    variables = await asyncio.to_thread(exports, emulator)
    key, url = variables["TELNYX_API_KEY"], variables["TELNYX_BASE_URL"]
    async with (
        listen_for_webhooks() as app,
        listen_for_webhooks() as here,
        RoomsClient(key, base_url=url) as client,
        ClientSession(url.removesuffix("v2"), headers={"Authorization": f"Bearer {key}"}) as control,
    ):
        rooms = [
            await client.rooms.create(
                webhook_event_url=app.url.replace("127.0.0.1", "app"), webhook_event_failover_url=here.url
            )
        ]
        body = {"room_id": rooms[0].id, "context": "Alice"}
        async with control.post("emulator/participants", json=body) as response:
            assert response.status == 201
            alice = (await response.json())["data"]
        (session,) = [each async for each in client.rooms.sessions(rooms[0].id)]
        assert alice["session_id"] == session.id
        async with control.delete(f"emulator/participants/{alice['id']}") as response:
            assert response.status == 204
        receiver, other = (app, here) if anywhere else (here, app)
        async with asyncio.timeout(60):
            while len(receiver.received) < 4:
                await asyncio.sleep(0.01)
    assert set(receiver.event_types) == {
        "session.started",
        "participant.joined",
        "participant.left",
        "session.ended",
    }
    receiver.received[0].verify(variables["TELNYX_PUBLIC_KEY"])
    assert other.received == []


def test_a_taken_port(run: Run) -> None:
    """A port that is taken is an error in one line, with a way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("emulate", "--port", str(port))
    assert (result.exit_code, result.stdout) == (1, "")
    why = "Address already in use; use --port 0 for a free port"
    assert result.stderr == f"error: cannot listen on 127.0.0.1:{port}: {why}\n"


def test_an_address_of_another_machine(run: Run) -> None:
    """An address that is not of this machine is an error in one line."""
    result = run("emulate", "--host", "192.0.2.1", "--port", "0")
    assert result.exit_code == 1
    # What follows is asyncio's, and differs from Python to Python.
    assert result.stderr.startswith("error: cannot listen on 192.0.2.1:0: ")
    assert result.stderr.count("\n") == 1


def test_an_unknown_host(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has no address is an error in one line."""

    def find_none(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_none)
    result = run("emulate", "--host", "nowhere.invalid")
    assert result.exit_code == 1
    assert result.stderr == "error: cannot listen on nowhere.invalid:8080: Name or service not known\n"


@pytest.mark.parametrize("options", [["--port", "65536"], ["--port", "http"], ["--rooms", "-1"]])
def test_wrong_options(run: Run, options: list[str]) -> None:
    """A port or a number that cannot be is wrong usage."""
    assert run("emulate", *options).exit_code == 2


def test_a_script_of_faults(start: Start, tmp_path: Path) -> None:
    """With --faults it goes wrong as the file says, and the rate is limited by real time."""
    file = tmp_path / "faults.json"
    file.write_text(
        '[{"operation": "DeleteRoom", "cut": "after"}, {"limit": {"requests": 3, "seconds": 1000}}]'
    )
    emulator = start("emulate", "--port", "0", "--rooms", "1", "--faults", str(file))
    variables = exports(emulator)
    listed, _ = start("rooms", "list", "--json", **variables).communicate()
    deleting = start("rooms", "delete", json.loads(listed)["id"], "--json", **variables)
    assert deleting.communicate() == ("", "")
    assert deleting.returncode == 0
    refused = start("rooms", "list", "--json", **variables)
    assert "429" in refused.communicate()[1]
    assert refused.returncode == 1


def test_a_script_that_cannot_be(run: Run, tmp_path: Path) -> None:
    """A wrong entry of the file is wrong usage, in one line with its number and its field."""
    file = tmp_path / "faults.json"
    file.write_text('[{"status": 500}, {"status": "500"}, {"times": 0}]')
    result = run("emulate", "--port", "0", "--faults", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    status = "entry 2: status must be an integer from 200 to 599, not '500'"
    times = "entry 3: times must be an integer of 1 or more, or none for all, not 0"
    assert result.stderr == f"error: {file}: {status}; {times}\n"


def test_no_script(run: Run, tmp_path: Path) -> None:
    """A file that cannot be read, or is no script, is wrong usage."""
    missing = tmp_path / "missing.json"
    result = run("emulate", "--port", "0", "--faults", str(missing))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: cannot read {missing}: No such file or directory\n"
    missing.write_text("[")
    result = run("emulate", "--port", "0", "--faults", str(missing))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {missing}: the file must be a JSON list of objects: ")


def test_the_help_shows_a_script(run: Run) -> None:
    """Every field that a script may have stands in the help, and its example is a script."""
    words = run("emulate", "--help", COLUMNS="80").stdout
    assert {field.name for field in attrs.fields(Fault)} <= set(words.split())
    example = words[words.index("[{") : words.index("}}]") + 3]
    load_script(Emulator(), example.encode())
