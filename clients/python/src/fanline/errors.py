"""What can end a session or a question, as types."""


class FanlineError(Exception):
    """Every error of this package."""


class Refused(FanlineError):
    """The gateway will not have this socket: coming back as it is would be refused again."""


class Unauthorized(Refused):
    """The gateway wants a token, and was sent none, or one that has expired or is not good."""


class Forbidden(Refused):
    """The token is good and does not name this session, or the `Origin` is foreign."""


class Closed(FanlineError):
    """The session was closed, here or in another task or thread."""


class TooBig(FanlineError):
    """A message is bigger than the gateway takes. It was not sent; the session can go on."""


class TurnFailed(FanlineError):
    """A turn ended without an answer. `code` is the protocol's; `cancelled` for a stopped turn."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
