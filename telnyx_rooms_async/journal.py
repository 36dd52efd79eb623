"""The journal of a job, as its user knows it: where it is, and what it has saved."""

import os
from typing import cast

from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import exact_text, show


class Journal:
    """A file that remembers what a job has begun and what came of it: ``Journal("rooms.journal")``.

    A job that is given one writes down every item before it sends anything, and every outcome before it
    yields it. Run again with the same input, whether it was killed or had ended, it passes over what is
    done, yielding nothing for it, finds out what became of what was in flight, and tries again what
    failed. The file holds numbers, digests of the items, ids of rooms and messages of errors, one JSON
    object a line; no item, and no key. It is readable by its owner only. While a job has it no other can.

    It belongs to one base URL and one account, which it knows by a digest of the API key; with another of
    either the job raises a `JournalError`.

    Args:
        path: where it is, or is to be.
        key_rotated: whether the account got another API key since the journal was begun: then the key is not
            compared. Only for the same account: what is done in one is not done in another.

    Raises:
        InvalidArgumentError: `key_rotated` is no boolean.
    """

    def __init__(self, path: str | os.PathLike[str], *, key_rotated: bool = False) -> None:
        if not isinstance(cast("object", key_rotated), bool):  # "false" must not count as true
            raise InvalidArgumentError((f"key_rotated must be True or False, not {show(key_rotated)}",))
        self.path: str = exact_text(os.fspath(path))
        self.key_rotated = key_rotated
        self.skipped = 0
        """How many items the newest job with it has passed over, as they were done."""

    def __repr__(self) -> str:
        return f"Journal({self.path!r})"
