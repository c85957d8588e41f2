locals {
  name = element(split(":", var.state_machine_arn), 6)

  states = jsondecode(templatefile("${path.module}/sync.asl.json", {
    mirror_bucket    = var.mirror_bucket.name
    orchestrator_arn = var.orchestrator_arn
    sync_worker_arn  = var.sync_worker_arn
  }))

  # A number cannot be a placeholder in a file that is to be JSON by itself.
  copy       = merge(local.states.States.Copy, { MaxConcurrency = var.max_concurrency })
  definition = merge(local.states, { States = merge(local.states.States, { Copy = local.copy }) })
}

resource "aws_sfn_state_machine" "sync" {
  name       = local.name
  role_arn   = aws_iam_role.workflow.arn
  definition = jsonencode(local.definition)

  logging_configuration {
    log_destination        = "${aws_cloudwatch_log_group.workflow.arn}:*"
    level                  = "ERROR"
    include_execution_data = true
  }

  # Step Functions tries the role out when the state machine is created.
  depends_on = [aws_iam_role_policy.workflow]
}

resource "aws_cloudwatch_log_group" "workflow" {
  # Under this prefix AWS lets many log groups share one resource policy.
  name              = "/aws/vendedlogs/states/${local.name}"
  retention_in_days = var.log_retention_days
}
