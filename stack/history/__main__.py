"""The command line: `python -m stack.history --data DIR`, before Prometheus' first start."""

import argparse
import sys
import time
from pathlib import Path

from commandline.arguments import folder
from commandline.errors import sentence
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.history.make import make
from stack.history.series import environment_name
from stack.programs import resource_attributes
from stack.signals import Stopped, stop_signals


def main(arguments: list[str] | None = None) -> int:
    """Make the history; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stack.history", description=__doc__)
    parser.add_argument("--data", type=folder, required=True, help="Prometheus's data folder")
    parser.add_argument(
        "--targets",
        type=Path,
        default=REPOSITORY / "stack" / "targets" / "services.json",
        help="file from which the collector reads the services (default: Compose's)",
    )
    chosen = parser.parse_args(arguments)
    try:
        with stop_signals():
            environment = environment_name(resource_attributes())
            make(chosen.data, chosen.targets, environment, time.time())
    except Stopped:
        return 130
    except (StackError, OSError) as error:
        sys.stderr.write(f"error: {sentence(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
