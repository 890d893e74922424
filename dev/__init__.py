"""Running the whole system on one machine: what `make run` and the tests start."""
