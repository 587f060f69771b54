"""The entry point of `make bench`."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

    from benchmarks.report import main

    sys.exit(main())
