"""Policies: limits of sessions and rooms, which ``client.rooms.enforce`` applies.

    policies = [RoomPolicy(max_duration=timedelta(hours=2))]
    async for action in client.rooms.enforce(policies):
        print(action)

Guide: ``telnyx-rooms docs policies``, or the README.md of this folder.
"""

from telnyx_rooms_async.policies.policy import (
    ActionStatus,
    ActionType,
    AllowedHours,
    PolicyAction,
    PolicyRule,
    RoomPolicy,
    planned_actions,
)
from telnyx_rooms_async.policies.policy_file import parse_policies

__all__ = [
    "ActionStatus",
    "ActionType",
    "AllowedHours",
    "PolicyAction",
    "PolicyRule",
    "RoomPolicy",
    "parse_policies",
    "planned_actions",
]
