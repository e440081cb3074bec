"""``python -m pyloader``: see `pyloader.cli`."""

import sys

from pyloader.cli import main

sys.exit(main())
