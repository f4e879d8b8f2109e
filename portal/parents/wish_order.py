"""What a button of the wishes page does to the order."""

import uuid


def reordered(listed: list[uuid.UUID], act: str) -> list[uuid.UUID]:
    """The order after `up:i`, `down:i` or `remove:i` (counted from 0); any other act leaves it as it is."""
    name, _, place = act.partition(":")
    index = int(place) if place.isdigit() else -1
    found = list(listed)
    if not 0 <= index < len(found):
        return found
    if name == "remove":
        del found[index]
    elif name == "up" and index > 0:
        found[index - 1], found[index] = found[index], found[index - 1]
    elif name == "down" and index < len(found) - 1:
        found[index + 1], found[index] = found[index], found[index + 1]
    return found
