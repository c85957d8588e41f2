"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG_FILE = ROOT / "config" / "airbrew.yaml"
PRICES_FILE = ROOT / "config" / "prices.yaml"
SCHEMA_FILE = ROOT / "config" / "schema.yaml"
STATE_DIR = ROOT / ".airbrew"
TERRAFORM_DIR = ROOT / "terraform"
LAMBDAS_DIR = ROOT / "lambdas"
# Homebrew's own signing key, api/homebrew-1.pem in Homebrew/brew; RSA, 4096 bit.
HOMEBREW_KEY_FILE = ROOT / "delivery" / "mirror" / "homebrew-1.pem"


def shown(path: Path) -> str:
    """The path as a person would type it: relative to the checkout where it lies in it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
