"""aiohttp by hand with the models of this library, structured by cattrs alone: the price of typed values."""

import json
from typing import Any, Final

from benchmarks.contenders.bare import Bare
from telnyx_rooms_async.models import Page, Room
from telnyx_rooms_async.serialization import Envelope, make_converter

_CONVERTER: Final = make_converter(use_msgspec=False)


def _page(body: bytes) -> Any:  # noqa: ANN401 - as other decoders
    return _CONVERTER.structure(json.loads(body), Page[Room])


def _room(body: bytes) -> object:
    return _CONVERTER.structure(json.loads(body), Envelope[Room]).data


def _parts(page: Page[Room]) -> tuple[int, tuple[Room, ...]]:
    return page.meta.total_pages or 0, page.data


CATTRS: Final = Bare(decode=_page, decode_room=_room, page_parts=_parts)
