"""What may go wrong with an event on its way to a receiver, and the script of it. No HTTP."""

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.bounds import flag, is_seconds, is_whole, must_be
from telnyx_rooms_async.emulator.happenings import EventType
from telnyx_rooms_async.emulator.script import how_often, take
from telnyx_rooms_async.emulator.webhooks import WebhookEvent

WhenEvent: TypeAlias = Callable[[WebhookEvent], bool]

_MOST: Final = 1000
_LONGEST: Final = 10**9
_event_type: Final = must_be(
    "the type of an event of Telnyx Video",
    lambda value: value is None or value in tuple(EventType),
)


@frozen(kw_only=True)
class WebhookFault:
    """What goes wrong with an event. ``WebhookFault()`` is nothing: it lets events pass, for what comes after it.

    Raises:
        ValueError: a field cannot be so, or contradicts another; the field is named.
    """

    lost: bool = field(default=False, validator=flag)
    """It is never sent, and not told again."""
    copies: int = field(
        default=1,
        validator=must_be(f"a whole number from 1 to {_MOST}", lambda value: is_whole(value, 1, _MOST)),
    )
    """How often it is sent: one after the other, whatever the receiver answered to the first."""
    delay: float = field(
        default=0.0,
        validator=must_be(
            f"a number of seconds from 0 to {_LONGEST}", lambda value: is_seconds(value, _LONGEST)
        ),
    )
    """Seconds that each copy waits, while others pass."""
    shuffled: bool = field(default=False, validator=flag)
    """Its copies are held back with those of other shuffled events until nothing more has happened for a
    tenth of a second, or until `Emulator.settle`; then they all go, in an order that chance makes: the same
    one in each run."""

    def __attrs_post_init__(self) -> None:
        for name, told in (("copies", self.copies > 1), ("delay", self.delay), ("shuffled", self.shuffled)):
            if self.lost and told:
                raise ValueError(f"{name} contradicts lost, by which it is not sent")


@define(kw_only=True, eq=False)
class EventLine:
    """A mishap for the next events that it is meant for.

    Raises:
        ValueError: a field cannot be so; the field is named.
    """

    mishap: WebhookFault
    times: int | None = field(default=1, validator=how_often)
    """How many events are still to meet it; ``None`` for all that happen."""
    event_type: str | None = field(default=None, validator=_event_type)
    when: WhenEvent | None = None

    def fits(self, event: WebhookEvent) -> bool:
        """Tell whether the mishap is meant for this event."""
        return self.event_type in (None, event.event_type) and (self.when is None or self.when(event))


@define
class EventScript:
    """The lines to come, oldest first."""

    lines: list[EventLine] = field(factory=list[EventLine])

    def take(self, event: WebhookEvent) -> WebhookFault:
        """Use up one time of the first line that fits; when there is none, nothing goes wrong."""
        line = take(self.lines, lambda each: each.fits(event))
        return WebhookFault() if line is None else line.mishap
