"""A private network: a server of a private CA that requires client certificates, behind a proxy."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.helpers.connect_proxy import HOSTS, ConnectProxy
from tests.helpers.fault_server import FaultServer
from tests.helpers.raw_server import running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path, authority: trustme.CA) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def client_cert(tmp_path: Path, authority: trustme.CA) -> Path:
    path = tmp_path / "client.pem"
    authority.issue_cert("client@telnyx.test").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture
async def server(authority: trustme.CA) -> AsyncIterator[FaultServer]:
    """A server with a certificate of a private CA."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(context)
    async with running(FaultServer(tls=context)) as fault_server:
        yield fault_server


@pytest.fixture
async def strict_server(server: FaultServer, authority: trustme.CA) -> FaultServer:
    """The server, which requires a certificate of its clients."""
    assert server.tls is not None
    server.tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server.tls)
    return server


@pytest.fixture
async def proxy(strict_server: FaultServer) -> AsyncIterator[ConnectProxy]:
    """A proxy with a password in front of the server that requires certificates."""
    strict_server.store.url = "https://files.telnyx.test/v2"
    async with running(ConnectProxy(upstream_port=strict_server.port)) as connect_proxy:
        yield connect_proxy


@pytest.fixture
def options(proxy: ConnectProxy, ca_file: Path, client_cert: Path) -> dict[str, str]:
    url = f"http://{proxy.credentials}@127.0.0.1:{proxy.port}"
    return {"ca_file": str(ca_file), "client_cert": str(client_cert), "proxy": url}
