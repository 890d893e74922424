"""What Hypothesis chooses from."""

from hypothesis import strategies as st

from tests.shared.model.gateway import Fate
from tests.shared.model.tab import TabStep
from tests.shared.model.truth import SESSIONS
from tests.shared.model.worker import Choice

FAULTS = [
    "a worker dies",
    "a snapshot is taken",
    "a snapshot is restored",
    "a session is deleted",
    "a session expires",
]

sessions = st.sampled_from([*SESSIONS[:1] * 4, *SESSIONS])
fates: st.SearchStrategy[Fate] = st.sampled_from(
    ["answered", "answered", "reply lost", "comes late"]
)
choices: st.SearchStrategy[Choice] = st.sampled_from(
    ["say", "say", "finish", "end message", "renew", "hand back"]
)
tab_steps: st.SearchStrategy[TabStep] = st.sampled_from(
    [
        "hear",
        "hear",
        "hear many",
        "lose",
        "read",
        "take page",
        "catch up",
        "compare heads",
        "reconnect",
    ]
)
which_worker = st.integers(0, 1)
several = st.integers(1, 8)
any_number = st.integers(0, 999)
"""Picks one of what there is, modulo."""
