"""A fast server without state: it reads the request line, and sends a prepared response.

``python -m benchmarks.server CA_FILE`` writes the certificate authority of its certificate to the file, and
prints its ports without and with TLS. Then it prints a line of JSON for each line that it reads, and ends
with its input. A path starts with the number of rooms and the delay of responses in milliseconds, such as
``/10000/50/v2/rooms``, so that one server serves all cases.
"""

import asyncio
import json
import re
import socket
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import Final

import trustme

from benchmarks.measuring import raise_file_limit
from benchmarks.responses import PAGE_SIZE, http_response, one_room, page

_REQUEST_LINE: Final = re.compile(rb"(GET|POST) /(\d+)/(\d+)/v2/rooms(/[^ ?]+)?(?:\?([^ ]*))? HTTP/1\.1")
_BODY_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PAGE_NUMBER: Final = re.compile(rb"page(?:\[|%5B)number(?:\]|%5D)=(\d+)")
_PAGE_SIZE: Final = re.compile(rb"page(?:\[|%5B)size(?:\]|%5D)=(\d+)")
_EARLY: Final = 0.0015
"""Seconds by which a timer is set early: the event loop may wake a millisecond late."""


class _ConnectionCounter:
    """Counts open connections, and their maximum since the last report."""

    def __init__(self) -> None:
        self.open = self.peak = 0

    def add(self) -> None:
        self.open += 1
        self.peak = max(self.peak, self.open)

    def report(self) -> None:
        """Read a line and print the maximum; end the server with its input."""
        if not sys.stdin.readline():
            asyncio.get_running_loop().stop()
            return
        print(json.dumps({"peak": self.peak}), flush=True)
        self.peak = self.open


@cache
def _respond(line: bytes) -> tuple[float, bytes]:
    """Return the delay in seconds, and the response to a request line."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        body = b'{"errors":[{"code":"10005","title":"Resource not found"}]}'
        return 0.0, http_response(404, "Not Found", body)
    method, rooms, milliseconds, room_id, query = match.groups(default=b"")
    delay = int(milliseconds) / 1000
    if method == b"POST":
        return delay, http_response(201, "Created", one_room())
    if room_id:
        return delay, http_response(200, "OK", one_room())
    number, size = (
        int(match[1]) if (match := pattern.search(query)) else default
        for pattern, default in ((_PAGE_NUMBER, 1), (_PAGE_SIZE, PAGE_SIZE))
    )
    body = page(number, size, int(rooms), sessions=b"include_sessions=true" in query)
    return delay, http_response(200, "OK", body)


class _Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, counter: _ConnectionCounter) -> None:
        self._counter = counter
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._counter.add()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        self._counter.open -= 1

    def data_received(self, data: bytes) -> None:
        """Respond to each request that is complete; its body is not read."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _BODY_LENGTH.search(head) if head.startswith(b"POST") else None
            rest = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < rest:
                return
            self._received = self._received[rest:]
            arrived = self._loop.time()
            delay, response = _respond(head[: head.index(b"\r\n")])
            if delay:
                self._loop.call_at(arrived + delay - _EARLY, self._send_at, arrived + delay, response)
            else:
                self._transport.write(response)

    def _send_at(self, due: float, response: bytes) -> None:
        if self._loop.time() < due:
            self._loop.call_soon(self._send_at, due, response)
        else:
            self._transport.write(response)


def _tls(ca_file: Path) -> ssl.SSLContext:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # it also takes pyOpenSSL's
    return context


async def _listen(ca_file: Path) -> None:
    loop, counter = asyncio.get_running_loop(), _ConnectionCounter()
    ports: list[int] = []
    for tls in (None, _tls(ca_file)):
        server = await loop.create_server(
            lambda: _Connection(counter), "127.0.0.1", 0, family=socket.AF_INET, backlog=4096, ssl=tls
        )
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    loop.add_reader(sys.stdin.fileno(), counter.report)


def main() -> None:
    """Serve until the input ends."""
    raise_file_limit()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_listen(Path(sys.argv[1])))
    loop.run_forever()


if __name__ == "__main__":
    main()
