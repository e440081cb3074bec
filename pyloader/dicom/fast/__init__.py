"""Quick ways to read what most files are; each leaves the rest to the long way.

There are three doors: `read_plain` for elements, `quick_value` for their values, and `Memo` for
readers of modules. Without them every result is the same: ``tests/dicom/fast/test_fast.py`` reads
the corpora with each of them shut.
"""

from pyloader.dicom.fast.elements import read_plain
from pyloader.dicom.fast.memo import Memo
from pyloader.dicom.fast.values import ODD, quick_value

__all__ = ["ODD", "Memo", "quick_value", "read_plain"]
