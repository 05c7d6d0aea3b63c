"""`python -m instrumentation`: print the metrics reference."""

from __future__ import annotations

import sys

from instrumentation.reference import reference

sys.stdout.write(reference())
