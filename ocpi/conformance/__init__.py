"""`manage.py conformance`: plays a partner against any OCPI 2.2.1 platform and tells what it gets right.

It is a partner like any other: it knows the platform by HTTP only, and nothing of this node.
"""
