"""An environment of which GitHub's roles have everything to do, as it begins and as it goes on."""

from __future__ import annotations

BEGINS = """
project: {name: airbrew}
environments:
  dev:
    type: development
    github: {repository: acme/mirror, owner_id: "1001", repository_id: "2002"}
    selection: {platforms: [arm64_tahoe], formulae: [jq, wget]}
    workflow: {batch_max_bottles: 3, fargate_threshold_gib: 1}
    security: {addresses: [security@example.com], data_events: true}
    secrets: [{name: SLACK_WEBHOOK_URL, github: none, form: slack_webhook}]
  staging: {type: staging}
  prod: {type: production}
"""
CHANGES = """\
    mirror: {keep_replaced_days: 9}
    schedule: {expression: cron(0 5 ? * SUN *)}
    functions: {orchestrator: {memory_mib: 1536}}
    task: {cpu_units: 2048, memory_mib: 4096}
    logs: {retention_days: 14}
"""
LATER = BEGINS.replace("    selection:", f"{CHANGES}    selection:").replace(
    "{addresses: [security@example.com], data_events: true}", "{addresses: [other@example.com]}"
)
# Would take away what holds data: the plan says how much.
WITHOUT = BEGINS.replace("fargate_threshold_gib: 1", "fargate_threshold_gib: 0").replace(
    "    security:", "    mirror: {bucket_name: another-mirror}\n    security:"
)
