"""Workers: claim a turn, run the agent, tell the story."""
