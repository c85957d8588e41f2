"""Errors that the sandbox raises on purpose.

SandboxError                  the sandbox cannot do what was asked       exit 1
├── DidNotStart               a server of the sandbox ended or stayed silent
├── SandboxBusy               another command is starting or stopping it
├── NotRunning                what was asked needs the sandbox to be up
└── BadCatalogue              the given file is not a catalogue          exit 2
"""


class SandboxError(Exception):
    """A failure of the sandbox, with its place and the next step.

    Args:
        problem: what is wrong, in one clause, with the values that are wrong.
        where: the file, log or address concerned.
        remedy: the one command that gets the user on.
    """

    exit_code = 1

    def __init__(self, problem: str, *, where: str, remedy: str) -> None:
        super().__init__(problem, where, remedy)
        self.problem, self.where, self.remedy = problem, where, remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  where: {self.where}\n  next:  {self.remedy}"


class DidNotStart(SandboxError):
    """A server of the sandbox ended at once, or did not answer in time."""


class SandboxBusy(SandboxError):
    """Another command is starting or stopping this sandbox, and did not finish in time."""


class NotRunning(SandboxError):
    """What was asked needs the sandbox, and it does not answer."""


class BadCatalogue(SandboxError):
    """The file that was given is no catalogue of homebrew/core."""

    exit_code = 2
