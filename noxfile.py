"""The suites of Airbrew: what CI runs, runnable at a desk. `nox -l` lists them."""

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "unit", "integration"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

LOCKED = ["container", "desk", "layer", "lint", "security", "test"]


def install(session: nox.Session, requirements: str) -> None:
    """Pinned requirements with hashes, then our own packages as the Lambdas see them."""
    session.install("--require-hashes", "-r", f"requirements/{requirements}.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting, lint rules, types, who may import whom, YAML, Terraform's own formatting."""
    install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports")
    session.run("yamllint", "--strict", ".")
    session.run("inv", "terraform.format", "--check")
    session.run("inv", "config.validate")
    session.run("inv", "config.docs", "--check")
    session.run("inv", "docs.tasks", "--check")


@nox.session
def unit(session: nox.Session) -> None:
    """Unit tests; pyproject.toml holds the coverage floor. Arguments go to pytest."""
    install(session, "test")
    session.run("pytest", "tests/unit", "--cov", "--junitxml=build/unit.xml", *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """The sandbox with real Terraform: deploy, sync, break, resume. Arguments go to pytest."""
    install(session, "test")
    session.run("pytest", "tests/integration", "--junitxml=build/integration.xml", *session.posargs)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """The status page in headless Chromium, which must be installed. Arguments go to pytest."""
    install(session, "test")
    session.run("pytest", "tests/e2e", "--junitxml=build/e2e.xml", *session.posargs)


@nox.session(default=False)
def security(session: nox.Session) -> None:
    """Checkov over the Terraform tree, offline."""
    # Checkov pins older versions of what the sandbox needs: an environment of its own.
    session.install("--require-hashes", "-r", "requirements/security.txt")
    session.run("checkov", "--directory", "terraform", "--config-file", ".checkov.yaml")


@nox.session(default=False)
def rehearsal(session: nox.Session) -> None:
    """All of homebrew/core through a sandbox, three weeks in a row; into build/rehearsal.json."""
    install(session, "test")
    session.run("python", "-m", "tests.bench.rehearsal", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The mirror's figures against their goals, into build/bench.json; --smoke for tiny sizes."""
    install(session, "test")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Resolve requirements/*.in anew into *.txt, with hashes, for every platform and Python."""
    session.install("uv")
    for name in LOCKED:
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--upgrade"),
            *("--output-file", f"requirements/{name}.txt", f"requirements/{name}.in"),
        )
