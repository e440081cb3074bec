"""Facts that Python and JavaScript share: schemes, limits and thresholds, each in one place.

``facts.json`` is also written into the scripts by the build; `web/shared/facts.js` has it there.

Schemes: ``builtIn`` are all that pyloader registers, ``files`` those whose sources may hold many
files, ``local`` those of files that a user gave, ``ofViewers`` those that viewers have too,
``oneFile`` those whose images are all there when the first is, ``countedFromZero`` those whose
frames count from 0. Limits are in bytes, or counts.
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
