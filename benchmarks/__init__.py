"""`make bench`: figures of a node with real processes, always side by side in one run; never a test."""
