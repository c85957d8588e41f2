locals {
  name = element(split(":", var.state_machine_arn), 6)

  states = jsondecode(templatefile("${path.module}/sync.asl.json", {
    mirror_bucket    = var.mirror_bucket.name
    orchestrator_arn = var.orchestrator_arn
    sync_worker_arn  = var.sync_worker_arn
    cluster_arn      = join("", var.tasks[*].cluster_arn)
    definition_arn   = join("", var.tasks[*].definition_arn)
    container_name   = join("", var.tasks[*].container_name)
    capacity         = join("", var.tasks[*].capacity_provider)
    public_ip        = anytrue(var.tasks[*].assign_public_ip) ? "ENABLED" : "DISABLED"
  }))

  # Numbers and lists cannot be placeholders in a file that is to be JSON by itself.
  copy  = merge(local.states.States.Copy, { MaxConcurrency = var.max_concurrency })
  route = merge(local.states.States.Route, { Choices = concat(local.choices, local.choices_with_task) })
  choices = [
    for choice in local.states.States.Route.Choices : choice if choice.Next != "CopyWithTask"
  ]
  choices_with_task = [
    for choice in local.states.States.Route.Choices :
    merge(choice, { NumericGreaterThan = var.task_above_bytes })
    if choice.Next == "CopyWithTask" && length(var.tasks) > 0
  ]
  copy_with_task = {
    for task in var.tasks : "CopyWithTask" => merge(local.states.States.CopyWithTask, {
      Parameters = merge(local.states.States.CopyWithTask.Parameters, {
        NetworkConfiguration = {
          AwsvpcConfiguration = merge(
            local.states.States.CopyWithTask.Parameters.NetworkConfiguration.AwsvpcConfiguration,
            { Subnets = task.subnet_ids, SecurityGroups = task.security_group_ids },
          )
        }
      })
    })
  }
  # Without a task nothing leads to its state, and Step Functions wants none that is never reached.
  definition = merge(local.states, {
    States = merge(
      { for name, state in local.states.States : name => state if name != "CopyWithTask" },
      { Route = local.route, Copy = local.copy },
      local.copy_with_task,
    )
  })
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
