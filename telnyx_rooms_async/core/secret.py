"""Text that may be sent and must never be shown."""


class Secret(str):
    """A string whose repr is redacted, also inside the headers and tracebacks that carry it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


def hidden(given: object) -> Secret:
    """Wrap an argument so that no frame shows it; what is no text becomes the empty one, which is refused."""
    return Secret(given) if isinstance(given, str) else Secret()
