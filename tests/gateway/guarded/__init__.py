"""Gateways that ask for tokens."""
