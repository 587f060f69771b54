"""How much the fuzz tests do: the same examples every time, few enough for every run.

FUZZ_EXAMPLES=5000 looks longer and elsewhere each time; what it finds becomes a plain test beside the code.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def bounded(examples: int) -> settings:
    """Return settings for so many examples, or for as many as FUZZ_EXAMPLES says."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        # Explaining a failure takes minutes; shrinking it is what helps.
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
        ],
    )


BOUNDED = bounded(30)
