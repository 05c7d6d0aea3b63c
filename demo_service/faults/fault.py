"""What all faults have in common."""

from __future__ import annotations

import abc
import random
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

CHANCE = random.Random()  # noqa: S311 - which request is struck is no secret


class Change(BaseModel):
    """What an operator asks of a fault; what is left out gets the fault's own default."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool
    probability: float | None = Field(default=None, gt=0, le=1)
    seconds: float | None = Field(default=None, gt=0, le=30)


class State(BaseModel):
    """What a fault does at present."""

    name: str
    summary: str
    enabled: bool
    probability: float
    seconds: float


class Fault:
    """A fault that is off until it is switched on.

    `probability` is the share of requests it strikes, `seconds` how long it holds one up.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    probability: float = 1.0
    seconds: float = 0.0

    def __init__(self) -> None:
        self.enabled = False

    async def switch(self, change: Change) -> None:
        """Switch the fault on or off, with its defaults where `change` names nothing else."""
        self.probability = change.probability or type(self).probability
        self.seconds = change.seconds or type(self).seconds
        self.enabled = change.enabled

    async def close(self) -> None:
        """Let go of whatever the fault holds, at shutdown."""

    def state(self) -> State:
        """Return what the fault does at present."""
        return State.model_validate(self, from_attributes=True)


class RequestFault(Fault, abc.ABC):
    """A fault that strikes single requests, as a dependency of their routes."""

    async def __call__(self) -> None:
        """Strike this request, or let it pass."""
        if self.enabled and CHANCE.random() < self.probability:
            await self.strike()

    @abc.abstractmethod
    async def strike(self) -> None:
        """Do the harm."""
