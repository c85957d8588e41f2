"""Which image Fargate runs: the configured one, else the pushed one, always by its digest."""

from __future__ import annotations

from collections.abc import Callable

from delivery import image_repository
from delivery.checkout import Checkout, target_of
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput


def is_needed(environment: Environment, cloud: Cloud) -> bool:
    """Whether a task can start there, and nobody said which image it runs.

    The sandbox runs the same code from the checkout.
    """
    settings = environment.settings
    has_route = bool(settings["workflow"]["fargate_threshold_gib"])
    return has_route and not settings["task"]["image"] and not cloud.is_sandbox


def digest_here(environment: Environment, checkout: Checkout) -> str:
    """The digest that a release of this checkout names, as far as it is known without a cloud.

    ``sha256:…`` of the configured image, or of the one that was pushed from here; empty where
    no task can start, or nothing was pushed.
    """
    settings = environment.settings
    if settings["task"]["image"] or not settings["workflow"]["fargate_threshold_gib"]:
        return str(settings["task"]["image"] or "").rpartition("@")[2]
    from delivery.artifacts import image  # noqa: PLC0415 - for the few that need one

    found = image.current(target_of(environment), checkout.state_dir)
    return found.digest if found else ""


def of_checkout(environment: Environment, cloud: Cloud, checkout: Checkout) -> str:
    """``registry/name@sha256:…`` of the image of this checkout's sources; empty as `reference`.

    Raises:
        BadInput: it was not pushed to the environment's repository.
    """
    if not is_needed(environment, cloud):
        return ""
    from delivery.artifacts import image  # noqa: PLC0415 - for the few deploys that need one

    tag = image.tag_of(target_of(environment), checkout.state_dir)
    return reference(environment, cloud, "", lambda: tag)


def reference(environment: Environment, cloud: Cloud, digest: str, tag: Callable[[], str]) -> str:
    """``registry/name@sha256:…`` for `task.image`; empty where none is needed.

    Args:
        digest: what the release to be deployed says; empty where it carries no image.
        tag: what an image of the checkout's inputs is called, where the release says nothing.

    Raises:
        BadInput: the environment's repository does not hold it.
    """
    if not is_needed(environment, cloud):
        return ""
    asked = {"digest": digest} if digest else {"tag": tag()}
    found = image_repository.digest_of(environment, cloud, **asked)
    address = image_repository.address(environment, cloud)
    if not found:
        raise BadInput(
            f"no image {digest or 'of these sources'} was pushed for the Fargate task",
            where=address,
            remedy=f"inv image.push --env {environment.name}",
        )
    return f"{address}@{found}"
