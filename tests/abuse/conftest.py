"""What the fuzzers share."""

from hypothesis import settings

# A machine that does other things as well takes longer for an example now and then.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
