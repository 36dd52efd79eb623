"""Secret text: it is sent, and never shown."""

from typing import SupportsIndex


class Secret(str):
    """A string with a redacted repr, also inside headers and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __getitem__(self, key: SupportsIndex | slice) -> "Secret":
        """Return a part of the text, a secret as well: some tools cut long strings before their repr."""
        return Secret(super().__getitem__(key))


def hidden(value: object) -> Secret:
    """Return an argument as a secret; anything but text becomes the empty secret, which is refused."""
    return Secret(str.__str__(value)) if isinstance(value, str) else Secret()
