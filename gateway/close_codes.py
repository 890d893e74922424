"""Close codes: what each tells the tab to do. A cursor outlives every close."""

POLICY = 1008
"""Do not come back as you are."""

FRAME_TOO_BIG = 1009
"""A frame beyond `MAX_FRAME_BYTES`: reconnect without it."""

INTERNAL_ERROR = 1011
"""A fault of this gateway: come back."""

DRAINING = 1012
"""This gateway stops: come back, to another one. The reason is the wait in milliseconds."""

TRY_AGAIN = 1013
"""Too many, or a socket that took nothing for `STALL_SECONDS`: come back."""

TOKEN_EXPIRED = 4401
"""Come back with a new token."""
