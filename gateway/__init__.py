"""The edge: sockets, HTTP, and who follows which session. Imports no agent code, keeps no state
that a restart would lose."""
