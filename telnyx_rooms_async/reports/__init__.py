"""Reports: the attendance of sessions, and the usage of an account.

    attendance = await client.rooms.attendance(room.id)
    print(attendance.to_markdown())

    usage = await client.reports.usage(by="month")
    print(usage.to_csv())

Guide: ``telnyx-rooms docs reports``, or the README.md of this folder.
"""

from telnyx_rooms_async.reports.attendance import Attendance, Attendee, Identity, attendance_of
from telnyx_rooms_async.reports.intervals import Interval
from telnyx_rooms_async.reports.usage import Prices, Usage, UsageMeter, UsageRow

__all__ = [
    "Attendance",
    "Attendee",
    "Identity",
    "Interval",
    "Prices",
    "Usage",
    "UsageMeter",
    "UsageRow",
    "attendance_of",
]
