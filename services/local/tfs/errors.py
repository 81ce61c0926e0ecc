"""What the stand-in refuses, with the status code and words that TensorFlow Serving uses for it."""

import grpc


class ServingError(Exception):
    """A request that cannot be served. `code` is the gRPC status, the text its details."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def not_found(text: str) -> ServingError:
    """Return the error for a model, version or servable that is not there."""
    return ServingError(grpc.StatusCode.NOT_FOUND, text)


def invalid(text: str) -> ServingError:
    """Return the error for a request that contradicts the model's signature."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, text)


def precondition(text: str) -> ServingError:
    """Return the error for a request that the model's present state does not allow."""
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, text)
