"""All attacks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from attack import BASELINE, FORGED, Attack  # noqa: E402
from attacks_channel import REPLIES  # noqa: E402
from attacks_inside import ANSWERS, PATCHES  # noqa: E402
from attacks_output import OUTPUT  # noqa: E402
from attacks_system import BOMBS, KILLS, REACHING  # noqa: E402

__all__ = ["ATTACKS", "BASELINE", "FORGED", "Attack"]

ATTACKS = [*OUTPUT, *PATCHES, *ANSWERS, *REPLIES, *BOMBS, *REACHING, *KILLS]
