"""For whoever runs the service, not for its users."""

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from demo_service.dependencies import OpenResources
from demo_service.problems import Problem

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that the process is alive; restart it when this fails."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(resources: OpenResources) -> dict[str, str]:
    """Tell whether requests can be served; send none while this fails."""
    try:
        async with resources.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        raise Problem(503, "The database can't be reached.") from error
    return {"status": "ready"}
