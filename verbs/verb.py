"""The decorator of every task: a deliberate failure becomes one clear message and an exit code."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Self

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task, task

from delivery.errors import BadInput, DeliveryError
from sandbox.errors import SandboxError


class Verb(Task[Any]):
    """A task that ends with the error's own text and exit code instead of a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task; known failures leave as `Exit`, anything else is a bug and shows itself."""
        try:
            return super().__call__(*args, **kwargs)
        except (DeliveryError, SandboxError) as error:
            raise Exit(f"error: {error}{_standing(error)}", code=error.exit_code) from error
        except KeyboardInterrupt as error:
            told = "interrupted; the same command again goes on from here"
            raise Exit(f"{told}{_standing(error)}", code=130) from error
        except _refusals() as error:
            raise Exit(f"error: {_told(error)}{_standing(error)}", code=1) from error

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The options; Invoke takes the help texts out as it reads them, we put them back."""
        texts = dict(self.help)
        arguments = super().get_arguments(ignore_unknown_help)
        self.help = texts
        return [_Number.of(each) if each.kind is int else each for each in arguments]


class _Number(Argument):
    """An option that takes a whole number; Invoke shows a traceback where it is something else."""

    @classmethod
    def of(cls, option: Argument) -> Self:
        """The same option, which says so itself."""
        return cls(
            names=option.names,
            kind=int,
            default=option.default,
            help=option.help,
            attr_name=option.attr_name,
        )

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take what was typed.

        Raises:
            Exit: it is no whole number; exit code 2.
        """
        try:
            super().set_value(value, cast)
        except ValueError as error:
            told = BadInput(
                f'"{value}" is no whole number',
                where=f"--{self.name}",
                remedy="give it digits only",
            )
            raise Exit(f"error: {told}", code=told.exit_code) from error


def _standing(error: BaseException) -> str:
    """How things stand after the failure, as whoever cleaned up behind it has noted."""
    return "".join(f"\n  now:   {note}" for note in getattr(error, "__notes__", ()))


def _refusals() -> tuple[type[Exception], ...]:
    """What boto3 raises when AWS says no or cannot be reached, where a verb has loaded it."""
    loaded = sys.modules.get("botocore.exceptions")
    return (loaded.ClientError, loaded.BotoCoreError) if loaded else ()


def _told(error: Any) -> DeliveryError:
    # Botocore is loaded by now, or there were nothing to tell.
    from delivery import refusals

    return refusals.told(error)


# None of the options is positional: Invoke would take the next word for it, even "--help". Those
# of verbs/words.py may be given as one nevertheless.
verb = partial(task, klass=Verb, positional=())
