"""What a deploy reads from and writes to: the Lambdas, the Terraform tree, the folder for state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from delivery.artifacts import build as artifacts
from delivery.artifacts.build import Artifact, Places, Target
from delivery.artifacts.recipe import Recipe
from delivery.environment import Environment
from delivery.paths import ROOT, SCHEMA_FILE, STATE_DIR, TERRAFORM_DIR


@dataclass(frozen=True)
class Checkout:
    """A working copy; without arguments the one that this code is part of."""

    repository: Path = ROOT
    terraform_dir: Path = TERRAFORM_DIR
    schema_file: Path = SCHEMA_FILE
    state_dir: Path = STATE_DIR
    places: Places = field(default_factory=Places)
    data: Path | None = None

    def build(self, environment: Environment, report: Callable[[str], None]) -> dict[str, Artifact]:
        """The environment's artifacts; what is unchanged is not built again."""
        return self.build_for(target_of(environment), report)

    def build_for(self, target: Target, report: Callable[[str], None]) -> dict[str, Artifact]:
        """As `build`, for a target that is named."""
        return artifacts.build(target=target, report=report, places=self._places)

    def found(self, environment: Environment) -> dict[str, tuple[Recipe, bool]]:
        """What a build would be made from, and whether it was made already; builds nothing."""
        return artifacts.found(target_of(environment), self._places)

    @property
    def releases_dir(self) -> Path:
        """Where `inv package` writes releases."""
        return self.state_dir / "releases"

    @property
    def _places(self) -> Places:
        return replace(self.places, terraform=self.terraform_dir)

    def root_of(self, environment: Environment) -> Path:
        """The environment's Terraform root."""
        return self.terraform_dir / "environments" / environment.name

    def settings_file(self, environment: Environment) -> Path:
        """Where Terraform finds its settings: generated, and never committed."""
        return self.root_of(environment) / "terraform.tfvars.json"

    def data_dir(self, environment: Environment) -> Path:
        """Where Terraform keeps what it downloads for the environment's root."""
        return (self.data or self.state_dir / "terraform") / environment.name

    def with_tree(self, tree: Path) -> Checkout:
        """The same with another release's Terraform tree, and a data folder beside that."""
        return replace(self, terraform_dir=tree, data=tree.parent / "data")


def target_of(environment: Environment) -> Target:
    """What the Lambdas run on: the configuration's choice, or this machine in the sandbox."""
    if environment.is_sandbox:
        return Target.for_host()
    functions = environment.settings["functions"]
    return Target(functions["architecture"], functions["python"])
