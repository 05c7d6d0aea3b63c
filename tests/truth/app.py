"""An application with a route for each shape of a request, between the two probes.

Started as a service of its own: `uvicorn tests.truth.app:app`. `TRUTH_FOLDER` is where the
probes write.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.websockets import WebSocketDisconnect

from instrumentation import instrument
from tests.truth.probe import Inner, Outer

FOLDER = Path(os.environ["TRUTH_FOLDER"])
PUBLIC = FOLDER / "public"


class Item(BaseModel):
    name: str
    price: float


class TeapotError(Exception):
    pass


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    engine = create_async_engine("sqlite+aiosqlite://")
    # No connection is kept: the server may close an idle one just when a call takes it.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        yield {"engine": engine, "client": client}
    await engine.dispose()


def engine_of(request: Request) -> AsyncEngine:
    engine: AsyncEngine = request.state.engine
    return engine


service = FastAPI(lifespan=lifespan)
nested = APIRouter(prefix="/nested")


@service.exception_handler(TeapotError)
async def teapot(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({}, 418)


@service.get("/items/{item}")
@service.head("/items/{item}")
async def read_item(item: str) -> dict[str, str]:
    return {"item": item}


@service.post("/items", status_code=201)
async def create_item(item: Item) -> Item:
    return item


@service.get("/sync/{item}")
def in_a_thread(item: int) -> int:
    return item


@service.get("/missing/{item}")
async def missing(item: int) -> None:
    raise HTTPException(404)


@service.get("/unavailable")
async def unavailable() -> None:
    raise HTTPException(503)


@service.get("/handled")
async def handled() -> None:
    raise TeapotError


@service.get("/broken/{item}")
async def broken(item: int) -> None:
    raise RuntimeError(f"broken {item}")


@service.get("/stream/{size}")
async def stream(size: int) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size):
            await asyncio.sleep(0)
            yield b"x" * 1000

    return StreamingResponse(chunks())


@service.get("/endless")
async def endless() -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.01)

    return StreamingResponse(chunks())


@service.get("/breaks-off")
async def breaks_off() -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"some"
        raise ValueError("midway")

    return StreamingResponse(chunks())


@service.get("/file")
async def file() -> FileResponse:
    return FileResponse(PUBLIC / "page.txt")


@service.get("/background")
async def background(tasks: BackgroundTasks) -> None:
    tasks.add_task(asyncio.sleep, 0.05)


@service.get("/rows/{count}")
async def rows(count: int, engine: Annotated[AsyncEngine, Depends(engine_of)]) -> int:
    async with engine.connect() as connection:
        for number in range(count):
            await connection.execute(text("SELECT :number"), {"number": number})
    return count


@service.get("/calls")
async def calls(request: Request) -> int:
    client: httpx.AsyncClient = request.state.client
    agent = request.headers["user-agent"] + " leaf"
    answer = await client.get(f"{request.base_url}leaf", headers={"user-agent": agent})
    return answer.status_code


@service.get("/leaf")
async def leaf() -> None:
    return None


@nested.api_route("/{tenant}/things", methods=["PUT", "DELETE"])
async def things(tenant: str) -> str:
    return tenant


@service.websocket("/echo/{room}")
async def echo(socket: WebSocket, room: str) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def mounted() -> FastAPI:
    sub = FastAPI()

    @sub.get("/inside/{item}")
    async def inside(item: str) -> str:
        return item

    return sub


outer = APIRouter(prefix="/v1")
outer.include_router(nested)
service.include_router(outer)
service.mount("/sub", mounted())
service.mount("/of/{tenant}", mounted())
service.mount("/static", StaticFiles(directory=PUBLIC, check_dir=False))
service.add_middleware(Inner)
instrument(service)

app = Outer(service, FOLDER)
