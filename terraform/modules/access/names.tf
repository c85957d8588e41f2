# What the environment owns in the account: all of it is named by its prefix.
locals {
  prefix = "${var.environment.project}-${var.environment.name}"
  here   = "${var.account.region}:${var.account.id}"

  state_bucket  = "arn:aws:s3:::${var.buckets.state}"
  mirror_bucket = "arn:aws:s3:::${var.buckets.mirror}"
  # The trail's, and what else the environment keeps for itself.
  own_buckets = [local.mirror_bucket, "arn:aws:s3:::${local.prefix}-trail-${var.account.id}"]

  own_roles = "arn:aws:iam::${var.account.id}:role/${local.prefix}-*"
  own_logs = [
    "arn:aws:logs:${local.here}:log-group:/aws/lambda/${local.prefix}-*",
    "arn:aws:logs:${local.here}:log-group:/aws/vendedlogs/states/${local.prefix}-*",
    "arn:aws:logs:${local.here}:log-group:/ecs/${local.prefix}-*",
  ]
  own_machines = "arn:aws:states:${local.here}:stateMachine:${local.prefix}-*"
  own_runs = [
    "arn:aws:states:${local.here}:execution:${local.prefix}-*",
    "arn:aws:states:${local.here}:mapRun:${local.prefix}-*",
  ]
  own_functions = [
    "arn:aws:lambda:${local.here}:function:${local.prefix}-*",
    "arn:aws:lambda:${local.here}:layer:${local.prefix}-*",
  ]
  own_schedules = [
    "arn:aws:scheduler:${local.here}:schedule/${local.prefix}-*",
    "arn:aws:scheduler:${local.here}:schedule-group/${local.prefix}-*",
  ]
  own_clusters = "arn:aws:ecs:${local.here}:cluster/${local.prefix}-*"
  own_tasks    = "arn:aws:ecs:${local.here}:task-definition/${local.prefix}-*"
  own_images   = "arn:aws:ecr:${local.here}:repository/${local.prefix}-*"
  own_bus      = "arn:aws:events:${local.here}:event-bus/default"
  own_trail    = "arn:aws:cloudtrail:${local.here}:trail/${local.prefix}-*"
  own_watch = distinct([
    local.own_trail,
    "arn:aws:cloudwatch:${local.here}:alarm:${local.prefix}-*",
    "arn:aws:events:${local.here}:rule/${local.prefix}-*",
    # What has no region is told there only: modules/monitoring/global.tf.
    "arn:aws:events:us-east-1:${var.account.id}:rule/${local.prefix}-*",
    "arn:aws:sns:${local.here}:${local.prefix}-*",
  ])
  own_secrets = "arn:aws:secretsmanager:${local.here}:secret:${local.prefix}/*"
}
