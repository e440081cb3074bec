"""Facts that Python and JavaScript share: schemes, limits and thresholds, each in one place.

``facts.json`` is also written into the scripts by the build; `web/shared/facts.js` has it there.

Of the schemes ``builtIn`` are all that pyloader registers. Sources of ``files`` may hold many
files, those of ``local`` are files that a user gave. Viewers have ``ofViewers`` too. Of ``oneFile``
all images are there when the first is. Frames of ``countedFromZero`` count from 0.

Limits are in bytes, or counts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("facts.json").read_text())
SCHEMES: dict[str, list[str]] = FACTS["schemes"]
LIMITS: dict[str, int] = FACTS["limits"]
# What handing an encoded frame to another worker costs both, about.
WORTH_SECONDS: float = FACTS["offload"]["worthMilliseconds"] / 1000
