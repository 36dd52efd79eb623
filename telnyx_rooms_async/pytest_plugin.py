"""Temporary: the entry point of environments in which an older version is installed."""

from _telnyx_rooms_async_pytest import *  # noqa: F403 - until it is installed again
