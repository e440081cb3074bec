"""Fast paths for ordinary files; each leaves the remaining cases to the general code.

There are three entry points: `read_plain` for elements, `quick_value` for their values, and `Memo`
for module readers. Results are the same without them: ``tests/dicom/fast/test_fast.py`` reads the
corpora with each one switched off.
"""

from pyloader.dicom.fast.elements import read_plain
from pyloader.dicom.fast.memo import Memo
from pyloader.dicom.fast.values import FALLBACK, quick_value

__all__ = ["FALLBACK", "Memo", "quick_value", "read_plain"]
