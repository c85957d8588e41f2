"""What to change so that a role lets a workflow in: in the workflow, at GitHub, or here."""

from __future__ import annotations

from collections.abc import Mapping

from delivery.oidc.claims import Subject
from delivery.oidc.trust import Refusal

FIXED: Mapping[str, str] = {
    "aud": (
        "ask for the token with the audience sts.amazonaws.com, as"
        " aws-actions/configure-aws-credentials does when it is given none"
    ),
    "iss": "only tokens of GitHub.com are let in; this one was issued by another",
}
NO_DEFAULT_SUBJECT = (
    "this is no default subject: take the repository's or the organisation's own template back"
    " (gh api -X PUT repos/OWNER/NAME/actions/oidc/customization/sub -F use_default=true)"
)


def again(environment: str) -> str:
    """What puts the roles right once the configuration is."""
    return f"run `inv oidc.bootstrap --env {environment}`"


def remedy(environment: str, purpose: str, refusal: Refusal) -> str:
    """What to change so that the condition holds, or why it should not.

    Args:
        environment: its name, for the commands.
        purpose: of the role: ``deploy`` or ``plan``.
    """
    if refusal.claim in FIXED:
        return FIXED[refusal.claim]
    if refusal.claim == "ref":
        return _reference(environment, refusal)
    if refusal.claim == "repository_id":
        return (
            "another repository of the same name sent this; if it is yours, set github.owner_id"
            f" and github.repository_id to its numbers and {again(environment)}"
        )
    if refusal.claim == "sub":
        return _subject(environment, purpose, refusal)
    return f"this condition is none of ours: {again(environment)}"


def _reference(environment: str, refusal: Refusal) -> str:
    wanted = " or ".join(refusal.expected)
    kind, _, name = (refusal.found or "").removeprefix("refs/").partition("/")
    key = {"heads": "github.branches", "tags": "github.tags"}.get(kind)
    if key is None:
        return f"run it on {wanted}: no pull request deploys"
    return f'run it on {wanted}, or add "{name}" to {key} of {environment} and {again(environment)}'


def _subject(environment: str, purpose: str, refusal: Refusal) -> str:
    came = Subject.parse(refusal.found or "")
    if came is None:
        return NO_DEFAULT_SUBJECT
    known = [each for each in map(Subject.parse, refusal.expected) if each is not None]
    return (
        _other_repository(environment, came, known)
        or _other_form(environment, came, known)
        or _other_context(environment, purpose, came, known)
    )


def _other_repository(environment: str, came: Subject, known: list[Subject]) -> str:
    names = {each.repository for each in known}
    if came.repository in names:
        return ""
    if came.repository.lower() in {name.lower() for name in names}:
        spelling = f'spell github.repository "{came.repository}", as GitHub does'
        return f"{spelling}, and {again(environment)}"
    return (
        f'"{came.repository}" is not let in, be it a fork or not; if it is to be, set'
        f" github.repository and {again(environment)}"
    )


def _other_form(environment: str, came: Subject, known: list[Subject]) -> str:
    numbers = {(each.owner_id, each.repository_id) for each in known}
    if (came.owner_id, came.repository_id) in numbers:
        return ""
    if numbers == {(None, None)}:
        return (
            "the repository sends its numbers, as those made or renamed since 2026-07-15 do: set"
            f' github.owner_id: "{came.owner_id}" and github.repository_id:'
            f' "{came.repository_id}", and {again(environment)}'
        )
    return (
        f"{came.owner_id} and {came.repository_id} are the numbers of another owner or repository"
        " of that name"
    )


def _other_context(environment: str, purpose: str, came: Subject, known: list[Subject]) -> str:
    wanted = sorted({each.context for each in known})
    kind, _, value = came.context.partition(":")
    if purpose == "deploy":
        name = wanted[0].removeprefix("environment:")
        return f"put the job into the GitHub environment {name} (environment: {name})"
    if kind == "environment":
        return f'take "environment: {value}" off the job, or let it assume the deploy role'
    if kind == "pull_request":
        return (
            "if pull requests of the repository may look, set github.plan_pull_requests: true and"
            f" {again(environment)}"
        )
    form, _, name = value.removeprefix("refs/").partition("/")
    key = "github.plan_tags" if form == "tags" else "github.plan_branches"
    return f'run it on {" or ".join(wanted)}, or add "{name}" to {key} and {again(environment)}'
