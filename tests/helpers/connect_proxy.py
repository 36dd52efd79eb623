"""A proxy that requires a user and a password, and opens tunnels."""

import asyncio
import base64
from contextlib import suppress
from typing import Final

from attrs import define, field

from tests.helpers.raw_server import Connection, RawServer, http_response

BASE_URL: Final = "https://api.telnyx.test/v2"
"""Reached through the proxy only: the name cannot be resolved."""
HOSTS: Final = ("api.telnyx.test", "files.telnyx.test", "127.0.0.1")
"""Hosts of the certificate of the server behind the proxy."""


@define(eq=False, repr=False)
class ConnectProxy(RawServer):
    """Leads every tunnel to one port of this machine, whatever its host: no name has to be resolved."""

    upstream_port: int = 0
    credentials: str = "me:pa55word"
    targets: list[str] = field(factory=list[str])
    """Host and port of each tunnel that was opened."""

    async def serve_requests(self, connection: Connection) -> None:
        head, _ = await connection.read_request()
        credentials = base64.b64encode(self.credentials.encode())
        if b"\r\nProxy-Authorization: Basic " + credentials + b"\r\n" not in head:
            await connection.send(http_response(407, Proxy_Authenticate="Basic"))
            return
        method, target, _ = head.decode("latin-1").split(" ", 2)
        assert method == "CONNECT"
        self.targets.append(target)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        await connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(connection.reader, writer), _copy(reader, connection.writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
