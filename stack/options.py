"""What one start of the native stack was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.environment import REPOSITORY, load

LARGEST_SCALE = 10
COMMITTED = REPOSITORY / "alerts" / "alertmanager.yml"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything that two stacks on one machine may differ in.

    Args:
        data: folder of all state, logs and rendered configuration; kept between starts.
        rules: folder of Prometheus's rule files (`*.yml`).
        alertmanager_config: Alertmanager's configuration file; the committed one notifies the
            demo's receiver.
        scale: divides the scrape and evaluation intervals, from 1 to 10.
        only: names of the programs to start; empty means all.
        history: whether an empty data folder gets a past before the first start.
        ports: variables of `.env`, overridden by the environment.
    """

    data: Path
    rules: Path = REPOSITORY / "alerts" / "generated"
    alertmanager_config: Path = COMMITTED
    scale: float = 1
    only: tuple[str, ...] = ()
    history: bool = True
    ports: Mapping[str, str] = field(default_factory=load)

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= LARGEST_SCALE:
            raise ValueError(f"scale must be from 1 to {LARGEST_SCALE}, not {self.scale}")

    @property
    def config(self) -> Path:
        """Folder of the configuration that is rendered at each start."""
        return self.data / "config"

    @property
    def alertmanager_file(self) -> Path:
        """What Alertmanager reads: the rendered copy of the committed file, or a user's own."""
        own = self.alertmanager_config != COMMITTED
        return self.alertmanager_config if own else self.alertmanager_copy

    @property
    def alertmanager_copy(self) -> Path:
        """The committed configuration of Alertmanager with this stack's addresses."""
        return self.config / "alertmanager.yml"

    @property
    def logs(self) -> Path:
        """Folder with one log file for each program."""
        return self.data / "log"

    @property
    def ready_file(self) -> Path:
        """A file that exists while the whole stack is ready."""
        return self.data / "ready"

    def address(self, port: str) -> str:
        """Return the address of a port, given by its variable's name."""
        return f"127.0.0.1:{self.ports[port]}"
