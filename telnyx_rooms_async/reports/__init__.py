"""Reports: who was in a session and for how long, and what an account used."""

from telnyx_rooms_async.reports.attendance import Attendance, Attendee, Identity, attendance_of
from telnyx_rooms_async.reports.intervals import Interval

__all__ = ["Attendance", "Attendee", "Identity", "Interval", "attendance_of"]
