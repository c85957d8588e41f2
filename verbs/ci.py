"""What CI runs and decides: the gates, what an event deploys, what changed, how a run ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import process_environment
from delivery.checkout import Checkout
from delivery.ci import changes as changing
from delivery.ci import events, outputs, plans, summaries, verdict
from delivery.ci import targets as targeting
from delivery.config import effective, loading
from delivery.environment import Environment
from delivery.paths import CONFIG_FILE, ROOT, STATE_DIR, shown
from verbs import console, report_ci
from verbs.options import JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

BUILD = ROOT / "build"
EVENT_HELP = "push, pull_request, merge_group, schedule, or the file of the event's payload"
OUTPUT_HELP = "add the answer to this file as name=value, for example to $GITHUB_OUTPUT"
TO_HELP = "add it to this file, for example to $GITHUB_STEP_SUMMARY"


@verb(
    iterable=["only"],
    help={
        "suite": "lint or security",
        "only": "pass through this gate alone; may be repeated",
        "plan": "render the plan of this environment in the sandbox, for the gates that read one",
        "json": JSON_HELP,
    },
)
def gates(
    context: Context, only: Sequence[str], suite: str = "lint", plan: str = "", json: bool = False
) -> None:
    """Pass through the gates of a suite; SARIF goes to build/sarif. Exits 1 when one is shut.

    Example: inv ci.gates --suite security --plan prod
    """
    from delivery.gates import catalogue, passing
    from delivery.gates.gate import Scene

    chosen = catalogue.chosen(suite, only)
    scene = Scene(ROOT, _rendered(plan) if plan else None)
    hear = console.note if json else console.line
    passages = passing.through(chosen, scene, lambda each: report_ci.passage(each, hear))
    passing.write_sarif(passages, BUILD / "sarif")
    if json:
        console.document([asdict(each) for each in passages])
    required = process_environment.requires_audit()
    if not passing.holds(passages, audit_is_required=required):
        raise Exit(report_ci.shut(passages, audit_is_required=required), code=1)


@verb(
    help={
        "event": EVENT_HELP,
        "ref": "refs/heads/main, refs/tags/v1.2.3, …; not needed where the payload says it",
        "sandbox": "deploy environments without an account, too, into a sandbox on the runner",
        "output": OUTPUT_HELP,
        "json": JSON_HELP,
    }
)
def targets(
    context: Context,
    event: str = "",
    ref: str = "",
    sandbox: bool = False,
    output: str = "",
    json: bool = False,
) -> None:
    """Decide what an event deploys: develop to dev, main to staging, v1.2.3 to prod.

    Example: inv ci.targets --event push --ref refs/heads/main
    """
    environments = effective.validated(loading.load(CONFIG_FILE))
    in_sandbox = sandbox or process_environment.deploys_to_sandbox()
    found = targeting.of(events.read(event, ref), environments, in_sandbox=in_sandbox)
    _answer(asdict(found), output, as_json=json, lines=report_ci.targets(found))


@verb(
    help={
        "event": f"{EVENT_HELP}; it says what to compare with",
        "base": "compare with this commit or ref instead",
        "output": OUTPUT_HELP,
        "json": JSON_HELP,
    }
)
def changes(
    context: Context, event: str = "", base: str = "", output: str = "", json: bool = False
) -> None:
    """Tell which components changed, and which suites they need; in doubt, all of them.

    Example: inv ci.changes --base origin/main
    """
    found = changing.since(ROOT, base or (events.read(event, "").base if event else ""))
    _answer(asdict(found), output, as_json=json, lines=report_ci.changes(found))


@verb(
    iterable=["require"],
    help={
        "needs": "the jobs that this one needs, as ${{ toJSON(needs) }} tells them",
        "require": "a job that must not have been skipped; may be repeated",
    },
)
def passed(context: Context, require: Sequence[str], needs: str = "") -> None:
    """Say whether a run may go on: exits 1 when a job it needs has failed or was cancelled.

    Example: inv ci.passed --needs '{"test": {"result": "success"}}' --require test
    """
    found = verdict.results(needs)
    objections = verdict.objections(found, require)
    if objections:
        raise Exit(f"error: the run may not go on: {'; '.join(objections)}", code=1)
    console.line(f"the run may go on: {', '.join(f'{job} {found[job]}' for job in found)}")


@verb(
    iterable=["pick"],
    help={
        "source": "a JSON document, as a verb with --json has printed it",
        "pick": "a key of it; may be repeated",
        "output": OUTPUT_HELP,
    },
)
def output(context: Context, pick: Sequence[str], source: str = "", output: str = "") -> None:
    """Hand values of a JSON document on to later steps and jobs.

    Example: inv ci.output --source build/plan.json --pick digest
    """
    values = outputs.picked(Path(source), list(pick))
    _answer(values, output, as_json=False, lines=[f"{key}: {values[key]}" for key in pick])


@verb(
    help={
        "source": "what `inv plan --json` has printed",
        "to": TO_HELP,
        "output": "add its digest to this file, for example to $GITHUB_OUTPUT",
    }
)
def plan(context: Context, source: str = "", to: str = "", output: str = "") -> None:
    """Tell a plan in Markdown, for those who approve it where its digest is handed on.

    Example: inv ci.plan --source build/plan.json
    """
    found = plans.read(Path(source))
    if output:
        outputs.append(Path(output), {"digest": plans.digest(found)})
    # Whoever hands its digest on has it approved.
    _tell(plans.markdown(found, is_approved=bool(output)), to)


@verb(help={"source": "folder of the reports", "to": TO_HELP})
def summary(context: Context, source: str = "build", to: str = "") -> None:
    """Tell in Markdown how the suites and the gates ended, from the reports in build/.

    Example: inv ci.summary --source build
    """
    _tell(summaries.markdown(Path(source)), to)


@verb(
    help={
        "env": "the environment that is shown, in the sandbox whatever its account",
        "folder": "where the picture of the status page goes",
        "to": TO_HELP,
        "json": JSON_HELP,
    }
)
def preview(
    context: Context,
    env: str = "dev",
    folder: str = "build/preview",
    to: str = "",
    json: bool = False,
) -> None:
    """Deploy the checkout to the sandbox, sync, probe, and take the status page's picture.

    Example: inv ci.preview --env dev
    """
    from delivery.ci import preview as previewing
    from delivery.progress import Steps

    environment = _in_sandbox(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    with console.progress() as progress:
        shown = previewing.show(environment, cloud, Steps(progress), ROOT / folder)
    if json:
        console.document(asdict(shown))
    else:
        _tell(shown.markdown(), to)


@verb(
    help={
        "env": "keep it in this environment's state bucket, for `inv deploy --release`",
        "release": "the whole id, as the job that built it told",
        "folder": "where it was brought to",
    }
)
def receive(
    context: Context, env: str = "", release: str = "", folder: str = "build/release"
) -> None:
    """Hash a release that was handed on again, and keep it; exits 1 when a byte is another.

    Example: inv ci.receive --env dev --release $RELEASE
    """
    from delivery import state_bucket
    from delivery.ci import handover

    environment = environment_named(env)
    arrived = handover.verify(Path(folder), release)
    found = arrived.release
    console.line(f"release {found.short_id} ({found.version}) is what was built")
    cloud = reach(environment)
    announce(environment, cloud)
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    sent = handover.keep(arrived, cloud, bucket)
    console.line(f"kept in s3://{bucket}: {len(sent.keys)} objects sent, {sent.there} were there")


@verb(
    help={
        "env": "the environment whose standing release is taken over",
        "commit": "the full id of the commit that is released: what stands must be of it",
        "out": "the folder to write it into, below its id",
        "json": JSON_HELP,
    }
)
def take(
    context: Context,
    env: str = "",
    commit: str = "",
    out: str = "build/release",
    json: bool = False,
) -> None:
    """Take over the release that stands in an environment, byte for byte, for the next one.

    Example: inv ci.take --env staging --commit $GITHUB_SHA
    """
    from delivery.ci import taking

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    release, place = taking.take(environment, cloud, commit, Path(out))
    if json:
        console.document({"id": release.id, **asdict(release), "folder": str(place)})
        return
    told = f"release {release.short_id} ({release.version}) stands in {environment.name}"
    console.line(f"{told}; brought to {shown(place)}")


@verb(help={"to": "add the program's folder to this file, for example to $GITHUB_PATH"})
def tools(context: Context, to: str = "") -> None:
    """Find Terraform, or install it, verified; and say where it is.

    Example: inv ci.tools
    """
    from delivery.terraform import binary

    found = binary.find(process_environment.current(), STATE_DIR).path
    console.line(str(found))
    if to:
        with Path(to).open("a", encoding="utf-8") as opened:
            opened.write(f"{found.parent}\n")


def _answer(values: dict[str, object], file: str, *, as_json: bool, lines: Sequence[str]) -> None:
    if file:
        outputs.append(Path(file), values)
    if as_json:
        console.document(values)
        return
    for line in lines:
        console.line(line)


def _tell(markdown: str, file: str) -> None:
    console.line(markdown.rstrip("\n"))
    if file:
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(markdown)


def _in_sandbox(env: str) -> Environment:
    """The environment as it would be without an account."""
    return replace(environment_named(env), account_id=None)


def _rendered(env: str) -> Path:
    """The environment's plan against an empty sandbox, whatever account it is configured for."""
    from delivery.gates import rendered

    environment = _in_sandbox(env)
    target = BUILD / f"plan-{environment.name}.json"
    return rendered.render(Checkout(), environment, reach(environment), console.note, target)
