"""The smallest bot in Python, straight on the WIT of `wit/v1`: it says what it hears.

Variants are classes named after their case, with the payload in `value`. An
uncaught exception ends the turn without any action.
"""

from typing import List, Optional

from wit_world import exports
from wit_world.imports import action, event, session


class Handler(exports.Handler):
    """The one export of a bot."""

    def handle(self, event: event.Event, session: session.Session) -> List[action.Action]:
        message = heard(event.body)
        if message is None:
            return []
        return [action.Action_Message(action.Message(message.text, message.format))]


def heard(body: event.EventBody) -> Optional[event.Message]:
    """The message of an event: by itself, or as what a session opens with."""
    if isinstance(body, event.EventBody_Message):
        return body.value
    if isinstance(body, event.EventBody_Start) and isinstance(body.value.first, event.First_Message):
        return body.value.first.value
    return None
