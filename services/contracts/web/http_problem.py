"""A problem that is found while the body is read."""

from starlette.exceptions import HTTPException

from services.contracts.domain.errors import LookalikeError


class HttpProblem(HTTPException):
    """An error of the domain as Starlette's exception: FastAPI turns any other one in a body into status 400."""

    def __init__(self, problem: LookalikeError) -> None:
        """Wrap the error."""
        super().__init__(problem.status, problem.detail)
        self.problem = problem
