"""Tokens: what a client SDK joins a room with. They are secrets, and appear in no repr, log or error."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core.endpoints import CREATE_TOKEN, REFRESH_TOKEN
from telnyx_rooms_async.core.models import AccessToken, ClientToken
from telnyx_rooms_async.core.params import RefreshBody, TokenBody
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.rules import UNSET, Id, UnsetType
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.statuses import APIStatusError
...
