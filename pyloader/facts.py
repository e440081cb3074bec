"""Facts that Python and JavaScript share: schemes, limits and thresholds, each in one place.

The build also injects ``facts.json`` into the scripts, where `web/shared/facts.js` has it.

Schemes: ``builtIn`` lists all that pyloader registers. Sources of ``files`` may hold many files.
Sources of ``local`` are files that the user chose. Viewers have ``ofViewers`` too. Sources of
``oneFile`` have all their images as soon as the first is loaded. Frames of ``countedFromZero``
count from 0.

Limits are bytes or counts. A DICOM file of at most ``wholeBytes`` is fetched in one piece. Of a
larger one with many frames, only those that are wanted are fetched.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("facts.json").read_text())
SCHEMES: dict[str, list[str]] = FACTS["schemes"]
LIMITS: dict[str, int] = FACTS["limits"]
# Approximate cost, for both workers together, of offloading an encoded frame.
WORTH_SECONDS: float = FACTS["offload"]["worthMilliseconds"] / 1000
