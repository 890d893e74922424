"""What can end a session or a question, as types."""


class FanlineError(Exception):
    """Every error of this package."""


class Refused(FanlineError):
    """The gateway will not have this socket: coming back as it is would be refused again."""


class TurnFailed(FanlineError):
    """A turn ended without an answer. `code` is the protocol's."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
