"""The errors of the stand-in, with the status codes and texts of TensorFlow Serving."""

import grpc


class ServingError(Exception):
    """A request that cannot be served. `code` is the gRPC status, the text its detail."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def not_found(text: str) -> ServingError:
    """Return the error for an unknown model, version or servable."""
    return ServingError(grpc.StatusCode.NOT_FOUND, text)


def invalid(text: str) -> ServingError:
    """Return the error for a request that does not match the signature."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, text)


def precondition(text: str) -> ServingError:
    """Return the error for a request that the model's current state does not allow."""
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, text)
