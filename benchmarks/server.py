"""A server that is fast and dumb: it looks at the request line, and answers with bytes made beforehand.

``python -m benchmarks.server`` prints its port, then a line of JSON for each line that it reads, and ends
with its input. A path begins with how many rooms there are and how many milliseconds each answer waits:
``/10000/50/v2/rooms``. So one server serves all cases, and keeps no state between requests.
"""

import asyncio
import json
import re
import socket
import sys
from functools import cache
from typing import Final

from benchmarks.answers import DEFAULT_PAGE_SIZE, created_answer, not_found_answer, page_answer, room_answer

_REQUEST_LINE: Final = re.compile(rb"(GET|POST) /(\d+)/(\d+)/v2/rooms(/[^ ?]+)?(?:\?([^ ]*))? HTTP/1\.1")
_BODY_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PAGE_NUMBER: Final = re.compile(rb"page(?:\[|%5B)number(?:\]|%5D)=(\d+)")
_PAGE_SIZE: Final = re.compile(rb"page(?:\[|%5B)size(?:\]|%5D)=(\d+)")
_EARLY: Final = 0.0015
"""Seconds that a timer is set early: the loop may wake a millisecond late, 2 % of a latency."""


class Tally:
    """How many connections there are, and the most there were since somebody asked."""

    def __init__(self) -> None:
        self._open = self._peak = self._accepted = 0

    def opened(self) -> None:
        """Count one more."""
        self._open += 1
        self._accepted += 1
        self._peak = max(self._peak, self._open)

    def closed(self) -> None:
        """Count one less."""
        self._open -= 1

    def tell(self) -> None:
        """Read a line, print the figures, and count from here on; end with the input."""
        if not sys.stdin.readline():
            asyncio.get_running_loop().stop()
            return
        print(json.dumps({"peak": self._peak, "accepted": self._accepted}), flush=True)
        self._peak, self._accepted = self._open, 0


@cache
def answer_to(line: bytes) -> tuple[float, bytes]:
    """Return the seconds to wait, and the answer to a request line."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        return 0.0, not_found_answer()
    method, rooms, milliseconds, room_id, query = match.groups(default=b"")
    wait = int(milliseconds) / 1000
    if method == b"POST":
        return wait, created_answer()
    if room_id:
        return wait, room_answer()
    number, size = _number(_PAGE_NUMBER, query, 1), _number(_PAGE_SIZE, query, DEFAULT_PAGE_SIZE)
    return wait, page_answer(number, size, int(rooms), sessions=b"include_sessions=true" in query)


def _number(pattern: re.Pattern[bytes], query: bytes, default: int) -> int:
    found = pattern.search(query)
    return int(found[1]) if found else default


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._tally.opened()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        """End."""
        self._tally.closed()

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete, its body unread."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _BODY_LENGTH.search(head) if head.startswith(b"POST") else None
            rest = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < rest:
                return
            self._received = self._received[rest:]
            self._answer(head[: head.index(b"\r\n")])

    def _answer(self, line: bytes) -> None:
        arrived = self._loop.time()
        wait, answer = answer_to(line)
        if wait:
            self._loop.call_at(arrived + wait - _EARLY, self._answer_at, arrived + wait, answer)
        else:
            self._transport.write(answer)

    def _answer_at(self, due: float, answer: bytes) -> None:
        if self._loop.time() < due:
            self._loop.call_soon(self._answer_at, due, answer)
        else:
            self._transport.write(answer)


async def listen(tally: Tally) -> None:
    """Open the port, tell it, and watch the input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(tally), "127.0.0.1", 0, family=socket.AF_INET, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.add_reader(sys.stdin.fileno(), tally.tell)


def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(listen(Tally()))
    loop.run_forever()


if __name__ == "__main__":
    main()
