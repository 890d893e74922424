"""The fundamentals against real services: `make test-real`, never `make test`.

No file here is called `test_*.py`, so pytest finds none of them unless it is told their names.
"""
