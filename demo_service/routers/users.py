"""Those who order."""

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError

from demo_service.dependencies import After, Id, Limit, Session
from demo_service.models import User
from demo_service.pagination import page
from demo_service.problems import Problem
from demo_service.schemas import NewUser, Page, UserView

router = APIRouter(prefix="/users", tags=["users"])


@router.get("")
async def list_users(session: Session, after: After = 0, limit: Limit = 20) -> Page[UserView]:
    """List users, oldest first."""
    return await page(session, User, UserView, after=after, limit=limit)


@router.post("", status_code=201)
async def create_user(new: NewUser, session: Session) -> UserView:
    """Register a user; an e-mail address can be registered once."""
    user = User(**new.model_dump())
    session.add(user)
    try:
        await session.commit()
    except IntegrityError:
        raise Problem(409, "This e-mail address is registered already.") from None
    return UserView.model_validate(user)


@router.get("/{user_id}")
async def get_user(user_id: Id, session: Session) -> UserView:
    """Return one user."""
    user = await session.get(User, user_id)
    if user is None:
        raise Problem(404, f"There is no user {user_id}.")
    return UserView.model_validate(user)
