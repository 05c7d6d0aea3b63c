"""Every error leaves as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from fastapi import FastAPI, Request


class Problem(HTTPException):
    """An error that the client is told about, with members of its own beside the standard ones."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(status, detail)
        self.members = members


def install(app: FastAPI) -> None:
    """Make `app` answer every error as a problem document."""

    @app.exception_handler(HTTPException)
    async def _known(request: Request, error: HTTPException) -> JSONResponse:
        members = error.members if isinstance(error, Problem) else {}
        return _problem(request, error.status_code, error.detail, error.headers, **members)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{key: item[key] for key in ("loc", "msg", "type")} for item in error.errors()]
        return _problem(request, 422, "The request is not valid.", errors=jsonable_encoder(errors))

    @app.exception_handler(PoolTimeoutError)
    async def _exhausted(request: Request, _error: PoolTimeoutError) -> JSONResponse:
        detail = "No database connection came free in time."
        return _problem(request, 503, detail, {"Retry-After": "1"})

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> JSONResponse:
        if not error.connection_invalidated:
            raise error
        return _problem(request, 503, "The database can't be reached.", {"Retry-After": "1"})

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, _error: Exception) -> JSONResponse:
        # Starlette raises the exception again after this answer, so the server logs it.
        return _problem(request, 500, "The service failed to answer this request.")


def _problem(
    request: Request,
    status: int,
    detail: str,
    headers: Any = None,
    **members: Any,
) -> JSONResponse:
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **members,
    }
    return JSONResponse(document, status, headers, media_type="application/problem+json")
