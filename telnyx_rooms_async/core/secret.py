"""Text that may be sent and must never be shown."""

from typing import SupportsIndex


class Secret(str):
    """A string whose repr is redacted, also inside the headers and tracebacks that carry it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __getitem__(self, key: SupportsIndex | slice) -> "Secret":
        """Return a part of the text, a secret as well: some tools cut long strings before their repr."""
        return Secret(super().__getitem__(key))


def hidden(given: object) -> Secret:
    """Wrap an argument so that no frame shows it; what is no text becomes the empty one, which is refused."""
    return Secret(str.__str__(given)) if isinstance(given, str) else Secret()
