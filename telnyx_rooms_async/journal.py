"""The journal of a job, as its user knows it: where it is, and what it has saved."""

import os


class Journal:
    """A file that remembers what a job has begun and what came of it: ``Journal("rooms.journal")``.

    A job that is given one writes down every item before it sends anything, and every outcome before it
    yields it. Run again with the same input, whether it was killed or had ended, it passes over what is
    done, yielding nothing for it, finds out what became of what was in flight, and tries again what
    failed. The file holds numbers, digests of the items, ids of rooms and messages of errors, one JSON
    object a line; no item, and no key. While a job has it no other can.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: str = os.fspath(path)
        self.skipped = 0
        """How many items the newest job with it has passed over, as they were done."""

    def __repr__(self) -> str:
        return f"Journal({self.path!r})"
