"""What two processes must agree on: frames, ids, keys, the session log and its scripts."""
