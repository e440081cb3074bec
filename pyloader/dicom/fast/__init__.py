"""Fast paths for ordinary files; each leaves the remaining cases to the general code.

The entry points are `read_plain` for elements, `quick_value` and `quick_converted` for values, and
`Memo` for module readers. Results are the same without them: ``tests/dicom/fast/test_fast.py``
reads the corpora with each one switched off.
"""

from pyloader.dicom.fast.elements import read_plain
from pyloader.dicom.fast.memo import Memo
from pyloader.dicom.fast.values import FALLBACK, quick_converted, quick_value

__all__ = ["FALLBACK", "Memo", "quick_converted", "quick_value", "read_plain"]
