"""What ends a snapshot, in one sentence."""


class SnapshotError(Exception):
    """A backend does not answer, or refuses the question."""
