"""Commands that take some of their options, or all, as dataclasses."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def with_options(command: Callable[..., T]) -> Callable[..., T]:
    """Give a Typer command one option for each field of its parameters that are dataclasses.

    The fields are annotated as a command's parameters are: `Annotated[str, typer.Option(...)]`. Their options are
    listed last. The command is called with the dataclasses.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in inspect.signature(command).parameters if is_dataclass(hints.get(name))}

    @wraps(command)
    def expanded(**values: Any) -> T:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        return command(**values)

    parameters = [parameter for parameter in _parameters(command) if parameter.name not in groups]
    for group in groups.values():
        parameters += _parameters(group)
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    expanded.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return expanded


def _parameters(command: Callable[..., Any]) -> list[Parameter]:
    """Return a callable's parameters, as ones that are passed by name and whose annotations are types."""
    hints = get_type_hints(command, include_extras=True)
    return [
        parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in inspect.signature(command).parameters.values()
    ]
