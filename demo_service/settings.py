"""Everything that the environment decides about the demo."""

import functools
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from demo_service.signatures import kept_secret

_REDIS = ("redis://", "rediss://", "unix://")
_DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")


def _port(default: int, variable: str) -> int:
    """Return a field for a port that the whole stack knows as `variable`."""
    field: int = Field(
        default=default, ge=1, le=65535, validation_alias=AliasChoices(variable, variable.lower())
    )
    return field


class Settings(BaseSettings):
    """Settings of both services and of the load generator; times are in seconds.

    A variable is the field's name behind `DEMO_`, except where the stack has a name already.
    """

    model_config = SettingsConfigDict(env_prefix="DEMO_", frozen=True, populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    payments_port: int = _port(8001, "PAYMENTS_PORT")
    load_port: int = _port(8089, "LOAD_PORT")
    receipts_port: int = _port(8002, "RECEIPTS_PORT")

    orders_url: str = ""
    payments_url: str = ""
    payments_connect_timeout: float = Field(default=0.5, gt=0)
    payments_timeout: float = Field(default=3.0, gt=0)

    state_dir: Path = Path("var")
    database_url: str = Field(default="", validation_alias=AliasChoices("DATABASE_URL"))
    pool_size: int = Field(default=5, ge=1)
    pool_overflow: int = Field(default=5, ge=0)
    pool_timeout: float = Field(default=2.0, gt=0)

    redis_url: str = ""

    webhook_secret: SecretStr | None = None
    webhook_tolerance: float = Field(default=300.0, gt=0)

    admin: bool = False
    load_rate: float = Field(default=20.0, gt=0, le=200)

    @field_validator("database_url")
    @classmethod
    def _is_supported(cls, url: str) -> str:
        # SQLite in memory is a database of its own in every connection of the pool.
        if url and (not url.startswith(_DATABASES) or url.endswith((":///", ":memory:"))):
            raise ValueError(f"must be {_DATABASES[0]}<file> or {_DATABASES[1]}<host>/<database>")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        if url and not url.startswith(_REDIS):
            raise ValueError(f"must begin with one of {', '.join(_REDIS)}")
        return url

    @property
    def orders_base_url(self) -> str:
        """Where the load generator finds the orders service."""
        return self.orders_url or f"http://{self.host}:{self.port}"

    @property
    def payments_base_url(self) -> str:
        """Where the orders service finds its payment provider."""
        return self.payments_url or f"http://{self.host}:{self.payments_port}"

    @property
    def database(self) -> str:
        """The database's address: the one given, else a SQLite file in the state folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.state_dir}/orders.db"

    @functools.cached_property
    def webhook_key(self) -> bytes:
        """The key that signs webhooks: the one given, else one made once for the state folder."""
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value().encode()
        return kept_secret(self.state_dir / "webhook-secret")


def sentence(error: ValidationError) -> str:
    """Say in one line which variables are wrong, and how."""
    return "; ".join(
        f"{_variable(str(item['loc'][0]))}={item['input']!r}: {item['msg']}"
        for item in error.errors(include_url=False)
    )


def _variable(place: str) -> str:
    """Return the variable behind a field's name; a field with a name of its own is told by that."""
    prefix = Settings.model_config["env_prefix"] if place in Settings.model_fields else ""
    return f"{prefix}{place}".upper()
