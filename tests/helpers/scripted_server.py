"""A server of raw sockets without state: it answers from a script and records requests."""

from attrs import define, field, frozen

from tests.helpers.raw_server import Connection, RawServer, Then, http_response


@frozen
class Reply:
    """Bytes to answer with, and what happens to the connection then."""

    data: bytes
    then: Then = "keep"


@define(eq=False, repr=False)
class ScriptedServer(RawServer):
    """Answers each request with the next reply of its script; the last reply is repeated."""

    script: list[Reply] = field(factory=list[Reply])
    requests: list[bytes] = field(factory=list[bytes])

    def respond_with(self, *replies: Reply) -> None:
        """Start a new script and a new record of requests."""
        self.script, self.requests = list(replies), []

    @staticmethod
    def http(status: int, body: bytes = b"", **headers: str) -> Reply:
        """Make a well-formed response; ``_`` in a header's name stands for ``-``."""
        return Reply(http_response(status, body, **headers))

    @staticmethod
    def raw(data: bytes, then: Then = "close") -> Reply:
        """Make a response of any bytes."""
        return Reply(data, then)

    async def respond(self, connection: Connection, head: bytes, body: bytes) -> bool:
        self.requests.append(head + body)
        reply = self.script[min(len(self.requests), len(self.script)) - 1]
        return await connection.send(reply.data, reply.then)
