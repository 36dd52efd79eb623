"""Private CAs, client certificates and an authenticated proxy, by arguments, settings and variables."""

import asyncio
import base64
import io
import logging
import pickle
import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner, Result

from telnyx_rooms_async import (
    ConfigurationError,
    ProxyAuthenticationError,
    RoomsClient,
    Settings,
    TelnyxRoomsError,
    TLSError,
)
from telnyx_rooms_async.cli import app
from tests.helpers.clocks import wait_until
from tests.helpers.connect_proxy import BASE_URL, ConnectProxy
from tests.helpers.error_reports import reported_texts
from tests.helpers.fault_server import FaultServer
from tests.helpers.raw_server import running
from tests.helpers.room_store import FILM, HEALTHY_ROOM_ID, SECRET_KEY
from tests.helpers.scripted_server import ScriptedServer


def open_client(server: FaultServer, **options: Any) -> RoomsClient:
    return RoomsClient(SECRET_KEY, base_url=server.url, **options)


# --- private CA and client certificate ----------------------------------------------------------------------


async def test_server_of_a_private_ca_is_trusted_with_its_ca_file(server: FaultServer, ca_file: Path) -> None:
    async with open_client(server) as client:
        with pytest.raises(TLSError):
            await client.rooms.retrieve(HEALTHY_ROOM_ID)
    for path in (ca_file, str(ca_file)):
        async with open_client(server, ca_file=path) as client:
            await asyncio.gather(*(client.rooms.retrieve(HEALTHY_ROOM_ID) for _ in range(20)))


async def test_context_of_a_ca_file_is_loaded_once_until_the_file_changes(
    server: FaultServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[ssl.SSLContext] = []
    make_context = ssl.create_default_context

    def create_default_context(*args: Any, **options: Any) -> ssl.SSLContext:
        loaded.append(make_context(*args, **options))
        return loaded[-1]

    monkeypatch.setattr(ssl, "create_default_context", create_default_context)
    for _ in range(3):
        async with open_client(server, ca_file=ca_file) as client:
            assert loaded == loaded[:1]
            await asyncio.gather(*(client.rooms.retrieve(HEALTHY_ROOM_ID) for _ in range(5)))
    assert [context.verify_mode for context in loaded] == [ssl.CERT_REQUIRED]
    # The CAs of the system are trusted too.
    assert len(loaded[0].get_ca_certs()) == len(make_context().get_ca_certs()) + 1

    trustme.CA().cert_pem.write_to_path(ca_file)
    async with open_client(server, ca_file=ca_file) as client:
        with pytest.raises(TLSError):
            await client.rooms.retrieve(HEALTHY_ROOM_ID)
    assert len(loaded) == 2


async def test_relative_path_stays_that_of_the_constructor(
    server: FaultServer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_client(server, ca_file=ca_file.name) as client:
        monkeypatch.chdir("/")
        await client.rooms.retrieve(HEALTHY_ROOM_ID)


async def test_ca_file_that_changes_before_the_first_request_is_an_error(
    server: FaultServer, ca_file: Path
) -> None:
    async with open_client(server, ca_file=ca_file) as client:
        ca_file.write_text("no certificate")
        with pytest.raises(ConfigurationError, match="ca_file must hold CA certificates"):
            await client.rooms.retrieve(HEALTHY_ROOM_ID)


async def test_client_that_is_closed_while_its_ca_file_is_loaded_opens_no_session(
    server: FaultServer, ca_file: Path
) -> None:
    client = open_client(server, ca_file=ca_file)
    call = asyncio.create_task(client.rooms.retrieve(HEALTHY_ROOM_ID))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(TelnyxRoomsError, match="closed"):
        await call
    assert server.connections == 0


async def test_client_certificate_is_sent_to_a_server_that_requires_it(
    strict_server: FaultServer, ca_file: Path, client_cert: Path
) -> None:
    async with open_client(strict_server, ca_file=ca_file, client_cert=client_cert) as client:
        await client.rooms.retrieve(HEALTHY_ROOM_ID)
    context = ssl.create_default_context(cafile=ca_file)
    context.load_cert_chain(client_cert)
    async with open_client(strict_server, ssl_context=context) as client:
        await client.rooms.retrieve(HEALTHY_ROOM_ID)


class RefusingServer(threading.Thread):
    """Requires a client certificate, and receives what comes without one, so that its alert is not lost."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self._tls = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}/v2"
        self.connections = 0

    def run(self) -> None:
        with suppress(OSError):  # the socket is closed
            while True:
                self._refuse(self._socket.accept()[0])

    def _refuse(self, connection: socket.socket) -> None:
        self.connections += 1
        secure = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with suppress(ssl.SSLError):
            secure.do_handshake()
        with suppress(OSError), socket.socket(fileno=secure.detach()) as plain:
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65_536):
                pass

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.join()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("cert_authority", [None, trustme.CA()], ids=["no certificate", "of an unknown CA"])
async def test_server_that_refuses_the_client_certificate_has_processed_nothing(
    authority: trustme.CA,
    ca_file: Path,
    client_cert: Path,
    cert_authority: trustme.CA | None,
    version: ssl.TLSVersion,
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    options: dict[str, Any] = {"ca_file": ca_file}
    if cert_authority is not None:
        cert_authority.issue_cert("a@b.test").private_key_and_cert_chain_pem.write_to_path(client_cert)
        options["client_cert"] = client_cert
    server = RefusingServer(context)
    server.start()
    try:
        async with RoomsClient("KEY", base_url=server.url, **options) as client:
            with pytest.raises(TLSError) as caught:
                await client.rooms.create(unique_name="Weekly")
    finally:
        server.close()
    assert [attempt.sent for attempt in caught.value.attempts] == [False]
    assert server.connections == 1


# --- options that are refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"", "PEM"),
        (b"text", "PEM"),
        (b"\xff\0", "PEM"),
        ("folder", "Is a directory"),
    ],
)
def test_file_that_cannot_be_used_is_refused_by_option_and_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | str | None, problem: str
) -> None:
    path = tmp_path / "a.pem"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    options: dict[str, Any] = {name: path}
    with pytest.raises(ConfigurationError, match=f"{name} .*a.pem") as caught:
        RoomsClient("KEY", **options)
    assert re.search(problem, str(caught.value))
    monkeypatch.setenv(f"TELNYX_{name.upper()}", str(path))
    with pytest.raises(ConfigurationError, match=f"{name} "):
        RoomsClient("KEY")


def test_client_certificate_without_a_key_is_refused(ca_file: Path) -> None:
    with pytest.raises(ConfigurationError, match="client_cert must hold a certificate and its private key"):
        RoomsClient("KEY", client_cert=ca_file)


def test_client_certificate_with_a_password_is_refused_without_a_prompt(client_cert: Path) -> None:
    pem = client_cert.read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pa55word"),
    )
    client_cert.write_bytes(encrypted + pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    with pytest.raises(ConfigurationError, match="without a password"):
        RoomsClient("KEY", client_cert=client_cert)


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
@pytest.mark.parametrize("value", ["", b"ca.pem", 3, True, "a\0b", "\ud800"], ids=ascii)
def test_path_of_another_type_is_refused_by_its_name(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ConfigurationError, match=name):
        RoomsClient("KEY", **options)


def unverified_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"ssl_context": True}, "must be an ssl.SSLContext"),
        ({"ssl_context": unverified_context()}, "verifies no certificate"),
        ({"ssl_context": ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)}, "create_default_context"),
        ({"ssl_context": ssl.create_default_context(), "ca_file": "ca.pem"}, "load the files"),
        ({"ssl_context": ssl.create_default_context(), "client_cert": "client.pem"}, "load the files"),
    ],
)
def test_tls_context_that_cannot_be_used_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        RoomsClient("KEY", **options)


async def test_certificates_are_not_verified_only_where_that_is_allowed(server: FaultServer) -> None:
    options: dict[str, Any] = {"ssl_context": unverified_context(), "allow_insecure": True}
    async with open_client(server, **options) as client:
        await client.rooms.retrieve(HEALTHY_ROOM_ID)


OPTIONS: dict[str, object] = {
    "ca_file": "ca.pem",
    "client_cert": "client.pem",
    "ssl_context": ssl.create_default_context(),
    "proxy": "http://me:pa55word@127.0.0.1:9",
    "trust_env": True,
    "trace_configs": [aiohttp.TraceConfig()],
}


@pytest.mark.parametrize("name", OPTIONS)
async def test_options_of_an_own_session_are_refused_for_a_borrowed_one(name: str) -> None:
    options: dict[str, Any] = {name: OPTIONS[name]}
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match=f"{name} is for the client's own session") as caught:
            RoomsClient("KEY", session=session, **options)
    assert "pa55word" not in "".join(reported_texts(caught.value))


async def test_variables_do_not_apply_to_a_borrowed_session(
    server: FaultServer, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CA_FILE", "CLIENT_CERT", "PROXY"):
        monkeypatch.setenv(f"TELNYX_{name}", "/nowhere")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        await open_client(server, session=session, trace_configs=[]).rooms.retrieve(HEALTHY_ROOM_ID)


# --- all of them together -----------------------------------------------------------------------------------


def by_arguments(options: dict[str, str], _: object = None) -> RoomsClient:
    return RoomsClient(SECRET_KEY, base_url=BASE_URL, **cast("dict[str, Any]", options))


def by_context(options: dict[str, str], _: pytest.MonkeyPatch) -> RoomsClient:
    context = ssl.create_default_context(cafile=options["ca_file"])
    context.load_cert_chain(options["client_cert"])
    return RoomsClient(SECRET_KEY, base_url=BASE_URL, ssl_context=context, proxy=options["proxy"])


def by_settings(options: dict[str, str], _: pytest.MonkeyPatch) -> RoomsClient:
    settings = Settings(api_key=SECRET_KEY, base_url=BASE_URL, **cast("dict[str, Any]", options))
    assert "pa55word" not in repr(settings)
    return RoomsClient.from_settings(pickle.loads(pickle.dumps(settings)))


def by_variables(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> RoomsClient:
    for name, value in options.items():
        monkeypatch.setenv(f"TELNYX_{name.upper()}", value)
    return RoomsClient(SECRET_KEY, base_url=BASE_URL)


@pytest.mark.parametrize("make_client", [by_arguments, by_context, by_settings, by_variables])
async def test_calls_and_downloads_use_the_certificates_and_the_proxy(
    proxy: ConnectProxy,
    options: dict[str, str],
    make_client: Callable[[dict[str, str], pytest.MonkeyPatch], RoomsClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    file = io.BytesIO()
    async with make_client(options, monkeypatch) as client:
        await client.rooms.retrieve(HEALTHY_ROOM_ID)
        await client.recordings.download("a-recording", file)
        assert "pa55word" not in f"{client!r} {vars(client._api.transport)!r}"
    assert file.getvalue() == FILM
    assert set(proxy.targets) == {"api.telnyx.test:443", "files.telnyx.test:443"}
    assert "pa55word" not in caplog.text


async def test_wrong_password_of_the_proxy_is_an_error_without_the_password(
    proxy: ConnectProxy, options: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    proxy.credentials = "me:another"
    async with by_arguments(options) as client:
        with pytest.raises(ProxyAuthenticationError, match="407: check the user and the password") as caught:
            await client.rooms.create(unique_name="Weekly")
    assert [(attempt.failure, attempt.sent) for attempt in caught.value.attempts] == [
        ("proxy authentication", False)
    ]
    reports = [*reported_texts(caught.value), caplog.text, repr(pickle.dumps(caught.value))]
    encoded = base64.b64encode(b"me:pa55word").decode()
    assert [text for text in reports if "pa55word" in text or encoded in text] == []
    assert proxy.connections == 1


async def test_proxy_may_require_tls_itself(
    proxy: ConnectProxy, strict_server: FaultServer, options: dict[str, str]
) -> None:
    async with running(ConnectProxy(tls=strict_server.tls, upstream_port=strict_server.port)) as secure:
        url = f"https://{secure.credentials}@127.0.0.1:{secure.port}"
        async with by_arguments(options | {"proxy": url}) as client:
            await client.rooms.retrieve(HEALTHY_ROOM_ID)
        assert secure.targets == ["api.telnyx.test:443"]


async def test_cancelled_call_carries_no_frame_with_the_password_of_the_proxy(
    scripted_server: ScriptedServer, options: dict[str, str]
) -> None:
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    url = f"http://me:pa55word@127.0.0.1:{scripted_server.port}"
    async with by_arguments(options | {"proxy": url}) as client:
        call = asyncio.create_task(client.rooms.retrieve(HEALTHY_ROOM_ID))
        await wait_until(lambda: bool(scripted_server.requests))
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    assert [text for text in reported_texts(caught.value) if "pa55word" in text] == []


async def run_command(*arguments: str, **variables: str) -> Result:
    """Run a command in a thread: it has an event loop of its own."""
    variables |= {"TELNYX_API_KEY": SECRET_KEY, "TELNYX_BASE_URL": BASE_URL}
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=variables)


@pytest.mark.parametrize("by_variable", [True, False])
async def test_commands_use_the_certificates_and_the_proxy(
    proxy: ConnectProxy, options: dict[str, str], tmp_path: Path, *, by_variable: bool
) -> None:
    variables = {f"TELNYX_{name.upper()}": value for name, value in options.items()} if by_variable else {}
    arguments = [] if by_variable else [f"--{name.replace('_', '-')}={options[name]}" for name in options]
    result = await run_command(*arguments, "rooms", "retrieve", HEALTHY_ROOM_ID, **variables)
    assert (result.exit_code, result.stderr) == (0, "")
    target = tmp_path / "film.mp4"
    result = await run_command(*arguments, "recordings", "download", "a", str(target), **variables)
    assert (result.exit_code, result.stderr) == (0, "")
    assert target.read_bytes() == FILM
    assert set(proxy.targets) == {"api.telnyx.test:443", "files.telnyx.test:443"}

    proxy.credentials = "me:another"
    result = await run_command(*arguments, "rooms", "list", **variables)
    assert result.exit_code == 1
    assert "407: check the user and the password" in result.stderr
    assert "pa55word" not in result.output
