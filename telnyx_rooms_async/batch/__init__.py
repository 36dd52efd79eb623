"""Batch calls: one async function called with many items, a bounded number of calls at a time.

`stream` works with any async function. Methods such as `client.rooms.create_many` use it for API calls; with
a `Journal` such a job continues after a crash.

Guide: ``telnyx-rooms docs batch``, or the README.md of this folder.
"""

from telnyx_rooms_async.batch.journal import Journal, JournalSummary
from telnyx_rooms_async.batch.operations import BatchJob, BatchResult
from telnyx_rooms_async.batch.streams import CancelledWithinError, Done, Failed, Outcome, stream

__all__ = [
    "BatchJob",
    "BatchResult",
    "CancelledWithinError",
    "Done",
    "Failed",
    "Journal",
    "JournalSummary",
    "Outcome",
    "stream",
]
