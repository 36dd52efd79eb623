"""The version of this package: a constant, because a frozen program has no metadata to read it from."""

from typing import Final

__version__: Final = "1.0.0"
