"""What tools print that report an error: its chain, and the local variables of each frame of the package."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import telnyx_rooms_async

_PACKAGE = str(Path(telnyx_rooms_async.__file__).parent)


def shown_by(error: BaseException) -> Iterator[str]:
    """Yield the text of an error and of its chain, its attributes, and the local variables of its frames."""
    waiting: list[BaseException | None] = [error]
    seen = set[int]()
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        waiting += [link.__cause__, link.__context__]
        yield f"{link} {link!r} {link.args!r} {vars(link)!r}"
        yield from _locals_of(link.__traceback__)


def _locals_of(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.startswith(_PACKAGE):
            for name, value in frame.f_locals.items():
                yield f"{name}={value!r} {getattr(value, '__dict__', '')!r}"
        traceback = traceback.tb_next
