"""`python -m instrumentation COMMAND`: what the library offers beside the running service."""

from __future__ import annotations

import sys

from instrumentation.commands import main

sys.exit(main(sys.argv[1:]))
