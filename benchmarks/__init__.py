"""`make bench`: figures of a node with real processes, always side by side in one run; never a test.

It takes seven or eight minutes with a million sessions on two cores, and 2 GB in PostgreSQL while it runs;
SESSIONS=100000 makes it two. Results are kept in `benchmarks/results`.
"""
