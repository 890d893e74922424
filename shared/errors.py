"""Failures that cross a boundary, each one a type with one meaning."""


class Fenced(Exception):
    """A newer lease has been given out or the session was deleted: this writer must stop."""


class TurnOver(Exception):
    """The turn is no longer the head of its inbox: it was cancelled or has ended."""


class NotALog(Exception):
    """The keys of a session hold something that is not a log of ours: somebody put it there."""


class Unavailable(Exception):
    """Redis could not be asked within the time allowed; what was asked may have happened."""
