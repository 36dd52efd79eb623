"""A server of raw sockets without state: it answers from a script and records requests."""

import asyncio
import re
from contextlib import suppress
from typing import Literal

from attrs import define, field, frozen


@frozen
class Reply:
    """Bytes to answer with, and what happens to the connection then."""

    data: bytes
    then: Literal["keep", "close", "reset", "hang"] = "keep"


@define
class ScriptedServer:
    """Answers each request with the next reply of its script; the last reply is repeated."""

    script: list[Reply] = field(factory=list[Reply])
    requests: list[bytes] = field(factory=list[bytes])
    open_connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2"

    def respond_with(self, *replies: Reply) -> None:
        """Start a new script and a new record of requests."""
        self.script, self.requests = list(replies), []

    @staticmethod
    def http(status: int, body: bytes = b"", **headers: str) -> Reply:
        """Make a well-formed response; ``_`` in a header's name stands for ``-``."""
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return Reply("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    @staticmethod
    def raw(data: bytes, then: Literal["keep", "close", "reset", "hang"] = "close") -> Reply:
        """Make a response of any bytes."""
        return Reply(data, then)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open_connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._respond(reader, writer):
                    pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head, body = await read_request(reader)
        self.requests.append(head + body)
        reply = self.script[min(len(self.requests), len(self.script)) - 1]
        writer.write(reply.data)
        await writer.drain()
        if reply.then == "reset":
            writer.transport.abort()
        if reply.then == "hang":
            await reader.read()
        return reply.then == "keep"


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read the head and the body of a request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""
