"""The suites of Airbrew: what CI runs, runnable at a desk. `nox -l` lists them."""

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "unit", "integration"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

LOCKED = ["bench", "checkov", "container", "desk", "layer", "lint", "security", "test"]


def install(session: nox.Session, requirements: str) -> None:
    """Pinned requirements with hashes, then our own packages as the Lambdas see them."""
    session.install("--require-hashes", "-r", f"requirements/{requirements}.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


def beside(session: nox.Session, requirements: str) -> str:
    """A PATH that ends with an environment of its own, for a tool whose pins suit nobody else."""
    folder = Path(session.virtualenv.location) / requirements
    if not folder.exists():
        session.run("python", "-m", "venv", str(folder))
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    wanted = ["--require-hashes", "-r", f"requirements/{requirements}.txt"]
    session.run(*pip, *wanted, external=True)
    return os.pathsep.join([*session.virtualenv.bin_paths, os.environ["PATH"], f"{folder}/bin"])


@nox.session
def lint(session: nox.Session) -> None:
    """Form, lint rules, types, imports, YAML, workflows, shell: the gates of suite `lint`."""
    install(session, "lint")
    session.run("inv", "ci.gates", "--suite", "lint", *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Unit tests; pyproject.toml holds the coverage floor. Arguments go to pytest."""
    install(session, "test")
    reports = (
        "--junitxml=build/unit.xml",
        "--cov-report=term",
        "--cov-report=json:build/coverage.json",
    )
    session.run("pytest", "tests/unit", "--cov", *reports, *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """The sandbox with real Terraform: deploy, sync, break, resume. Arguments go to pytest."""
    install(session, "test")
    session.run("pytest", "tests/integration", "--junitxml=build/integration.xml", *session.posargs)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """The status page in headless Chromium, which must be there; the workflows, played here."""
    install(session, "test")
    session.run("pytest", "tests/e2e", "--junitxml=build/e2e.xml", *session.posargs)


@nox.session(default=False)
def security(session: nox.Session) -> None:
    """The gates of suite `security`, and each gate against a fault that is planted for it."""
    install(session, "security")
    path = beside(session, "checkov")
    session.run("inv", "ci.gates", "--suite", "security", "--plan", "prod", env={"PATH": path})
    session.run("inv", "sandbox.down")
    session.run(
        *("pytest", "tests/security", "--junitxml=build/security.xml", *session.posargs),
        env={"PATH": path},
    )


@nox.session(default=False)
def rehearsal(session: nox.Session) -> None:
    """All of homebrew/core through a sandbox, three weeks in a row; into build/rehearsal.json."""
    install(session, "test")
    session.run("python", "-m", "tests.bench.rehearsal", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The figures against their goals, into build/bench.json; --smoke for tiny sizes."""
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
