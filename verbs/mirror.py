"""The mirror: what a sync would do, doing one, and serving the result to brew."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import standing
from delivery.config import schema
from delivery.cost import prices
from delivery.mirror import executions, orchestrator, serving
from delivery.probe import targets
from delivery.progress import Steps
from sandbox import catalogues
from verbs import console, planning, probing, report, report_contents, report_probe
from verbs.contents import audit, gc, promote, rollback, snapshots, verify
from verbs.options import ENV_HELP, JSON_HELP
from verbs.parcels import export, import_, keygen, pack, seed, unpack
from verbs.sync_reports import pointing_to_report
from verbs.sync_reports import report as sync_report
from verbs.target import announce, environment_named, reach, sandbox_only
from verbs.verb import verb

DEFAULT_PORT = 8080
# Tasks of this group that have a file of their own.
__all__ = [
    "audit",
    "export",
    "gc",
    "import_",
    "keygen",
    "pack",
    "plan",
    "probe",
    "promote",
    "rollback",
    "seed",
    "serve",
    "snapshots",
    "sync",
    "sync_report",
    "unpack",
    "verify",
]


@verb(
    iterable=["platform", "formula"],
    help={
        "env": ENV_HELP,
        "catalogue": "plan this homebrew/core catalogue (.json or .json.xz) instead; sandbox only",
        "platform": "a bottle tag, for example arm64_tahoe; may be repeated",
        "formula": "a name, a glob or '*'; may be repeated",
        "sizes": "read the manifests of what is missing, to tell bytes and what keeping them costs;"
        " of a catalogue none are read",
        "json": JSON_HELP,
    },
)
def plan(
    context: Context,
    platform: list[str],
    formula: list[str],
    env: str = "dev",
    catalogue: str = "",
    sizes: bool = True,
    json: bool = False,
) -> None:
    """Show what a sync would fetch, why, and what it costs; changes nothing.

    Bytes of more than 2,000 missing bottles are reckoned from a sample of them.

    Example: inv mirror.plan --env dev
    """
    environment = environment_named(env)
    for tag in platform:
        schema.check_typed(tag, schema.PLATFORM, "--platform")
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    api_url = ""
    if catalogue:
        sandbox_only(cloud, "--catalogue")
        api_url = catalogues.publish(cloud.upstream["api_url"], Path(catalogue))
        formula = formula or ["*"]
    function = standing.deployed(environment, cloud)["orchestrator_function"]
    with console.progress() as progress, Steps(progress).step("plan"):
        found = orchestrator.dry_run(
            cloud,
            function,
            api_url=api_url,
            platforms=platform,
            formulae=formula,
            sizes=sizes and not catalogue,
            why="*",
        )
    if json:
        console.document(asdict(found))
    else:
        planning.show(found, prices.storage(environment.region), environment.region, env)


@verb(
    help={
        "env": ENV_HELP,
        "formula": "the name of a formula or cask, or a glob of names; --formula itself may be left"
        " out",
        "json": JSON_HELP,
    }
)
def why(context: Context, formula: str = "", env: str = "dev", json: bool = False) -> None:
    """Show through which chain of dependents a formula is mirrored, or why it is not.

    Example: inv mirror.why openssl@3
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    function = standing.deployed(environment, cloud)["orchestrator_function"]
    found = orchestrator.dry_run(cloud, function, why=formula or "*")
    if json:
        casks = found.casks.get("why")
        console.document({**found.why, **({"casks": casks} if casks else {})})
    else:
        planning.show_why(found)


@verb(help={"env": ENV_HELP, "json": JSON_HELP})
def sync(context: Context, env: str = "dev", json: bool = False) -> None:
    """Start a sync now, follow it to its end, and probe what it published as brew would.

    Example: inv mirror.sync --env dev
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    outputs = standing.deployed(environment, cloud)
    with pointing_to_report(env), console.progress() as progress:
        steps = Steps(progress)
        with steps.step("sync"):
            arn = executions.start(cloud, outputs["state_machine_arn"])
            execution = executions.follow(cloud, arn, steps.detail)
        with steps.step("probe"):
            proof = probing.prove(
                environment, cloud, outputs["mirror_bucket"], execution.output["snapshot"]
            )
    if json:
        console.document({**asdict(execution), "probe": asdict(proof)})
    else:
        report.sync(execution)
        report_contents.channels(execution.output.get("channels", {}))
        report.proof(asdict(proof))
        console.line(f"report: inv mirror.report --env {env}")


@verb(help={"env": ENV_HELP, "port": "port on 127.0.0.1; 0 takes any free one"})
def serve(context: Context, env: str = "dev", port: int = DEFAULT_PORT) -> None:
    """Serve the mirror at a local URL, laid out as brew asks for it, until Ctrl-C.

    Example: inv mirror.serve --env dev --port 8080
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud)
    bucket = standing.deployed(environment, cloud)["mirror_bucket"]
    with serving.listen(cloud, bucket, port) as server:
        console.line(f"serving s3://{bucket} at {server.url} (Ctrl-C ends it)")
        report.how_to_point_brew(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.line("ended")


@verb(
    iterable=["platform", "formula", "cask", "tap_file"],
    help={
        "url": "the mirror, as HOMEBREW_ARTIFACT_DOMAIN (or HOMEBREW_BOTTLE_DOMAIN) names it;"
        " --url itself may be left out",
        "env": "probe this environment's bucket instead, served on this machine meanwhile",
        "channel": "with --env: this channel's API files, instead of those of api/",
        "api": "HOMEBREW_API_DOMAIN, where it is not /api below the mirror",
        "platform": "a bottle tag to play, arm64_tahoe by default; may be repeated",
        "formula": "a name or glob the mirror holds, a sample by default; may be repeated",
        "cask": "a cask whose file the mirror holds, for brew mirror-cask; may be repeated",
        "tap-file": "file of a tap whose bottles it holds (selection.tap_files); may be repeated",
        "layout": "artifact (HOMEBREW_ARTIFACT_DOMAIN) or bottle (HOMEBREW_BOTTLE_DOMAIN, flat)",
        "public-key": "PEM file of the key that signs the API, by default Homebrew's own",
        "no-auth": "older clients are set to HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN=none",
        "no-closure": "do not look for the formulae's dependencies",
        "timeout": "seconds to wait for an answer and in each silence",
        "max-mib": "larger bottles are not fetched whole",
        "json": JSON_HELP,
    },
)
def probe(
    context: Context,
    platform: list[str],
    formula: list[str],
    cask: list[str],
    tap_file: list[str],
    *,
    url: str = "",
    env: str = "",
    channel: str = "",
    api: str = "",
    layout: str = targets.ARTIFACT,
    public_key: str = "",
    no_auth: bool = False,
    no_closure: bool = False,
    timeout: int = 30,
    max_mib: int = 100,
    json: bool = False,
) -> None:
    """Play what brew 4, 5 and 6 ask of any mirror; say which client breaks where, and why.

    Exits with 1 when a client breaks. docs/reference/probe.md lists every defect.

    Example: inv mirror.probe https://mirror.example.com --formula jq
    """
    from delivery.probe import conformance

    with probing.aimed(
        url,
        env,
        platform,
        formula,
        casks=cask,
        tap_files=tap_file,
        channel=channel,
        as_json=json,
        api_url=api,
        layout=layout,
        public_key_pem=targets.public_key(public_key),
        authorization=not no_auth,
        closure=not no_closure,
        timeout_seconds=timeout,
        bottle_limit_bytes=max_mib * 2**20,
    ) as target:
        found = conformance.probe(target)
    if json:
        console.document(found.as_json())
    else:
        report_probe.show(found)
    if not found.works:
        raise Exit(code=1)
