"""What can go wrong in a drill."""


class DrillError(Exception):
    """The drill can't go on; its text is one sentence for the terminal."""


class MissedError(Exception):
    """Something that the drill waited for did not come in time; its text says what."""
