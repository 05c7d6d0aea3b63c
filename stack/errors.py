"""The one exception that the command line prints as a sentence."""


class StackError(Exception):
    """Something the user can act on; its text is one sentence for the terminal."""
