mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:group" }
  }
}

variables {
  state_machine_arn  = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
  mirror_bucket      = { name = "mirror", arn = "arn:aws:s3:::mirror" }
  orchestrator_arn   = "arn:aws:lambda:us-east-1:123456789012:function:airbrew-dev-orchestrator:live"
  sync_worker_arn    = "arn:aws:lambda:us-east-1:123456789012:function:airbrew-dev-sync-worker:live"
  max_concurrency    = 3
  log_retention_days = 7
}

run "the_state_machine_has_its_foretold_name_and_calls_the_versions_in_service" {
  assert {
    condition = {
      for name, state in jsondecode(aws_sfn_state_machine.sync.definition).States :
      name => state.Parameters.FunctionName if state.Type == "Task"
      } == {
      Plan          = var.orchestrator_arn
      Publish       = var.orchestrator_arn
      NotifyFailure = var.orchestrator_arn
    }
    error_message = "A state calls something else than the orchestrator's alias."
  }

  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.sync.definition).States.Copy.ItemProcessor.States.CopyBatch.Parameters.FunctionName
      == var.sync_worker_arn
    )
    error_message = "CopyBatch calls something else than the sync worker's alias."
  }

  assert {
    condition     = aws_sfn_state_machine.sync.name == "airbrew-dev-sync"
    error_message = "The roles speak of another state machine than this: ${aws_sfn_state_machine.sync.name}."
  }
}

run "a_sync_above_the_threshold_goes_to_the_task_with_pointers_only" {
  variables {
    task_above_bytes = 1000
    tasks = [{
      cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync"
      definition_arn     = "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1"
      container_name     = "sync-worker"
      role_arns          = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]
      capacity_provider  = "FARGATE_SPOT"
      subnet_ids         = ["subnet-01234567"]
      security_group_ids = ["sg-01234567"]
      assign_public_ip   = true
    }]
  }

  assert {
    condition = jsondecode(aws_sfn_state_machine.sync.definition).States.Route.Choices == [
      { Variable = "$.batches", NumericEquals = 0, Next = "Publish" },
      { Variable = "$.bytes", NumericGreaterThan = 1000, Next = "CopyWithTask" },
    ]
    error_message = "Route is ${jsonencode(jsondecode(aws_sfn_state_machine.sync.definition).States.Route)}."
  }

  assert {
    condition = jsondecode(aws_sfn_state_machine.sync.definition).States.CopyWithTask.Parameters == {
      Cluster                  = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync"
      TaskDefinition           = "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1"
      CapacityProviderStrategy = [{ CapacityProvider = "FARGATE_SPOT", Weight = 1 }]
      NetworkConfiguration     = { AwsvpcConfiguration = { Subnets = ["subnet-01234567"], SecurityGroups = ["sg-01234567"], AssignPublicIp = "ENABLED" } }
      Overrides = { ContainerOverrides = [{ Name = "sync-worker", Environment = [
        { Name = "AIRBREW_BATCHES_KEY", "Value.$" = "$.batches_key" },
        { Name = "AIRBREW_TASK_TOKEN", "Value.$" = "$$.Task.Token" },
      ] }] }
    }
    error_message = "CopyWithTask asks for ${jsonencode(jsondecode(aws_sfn_state_machine.sync.definition).States.CopyWithTask.Parameters)}."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.workflow.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource, statement.Condition] if can(statement.Condition)
      } == {
      RunTheTask          = ["ecs:RunTask", "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1", { ArnEquals = { "ecs:cluster" = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync" } }]
      GiveTheTaskItsRoles = ["iam:PassRole", ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"], { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }]
    }
    error_message = "The workflow's policy is ${aws_iam_role_policy.workflow.policy}."
  }
}

run "without_a_task_nothing_leads_to_one" {
  command = plan

  assert {
    condition = (
      length(jsondecode(aws_sfn_state_machine.sync.definition).States.Route.Choices) == 1
      && !can(jsondecode(aws_sfn_state_machine.sync.definition).States.CopyWithTask)
    )
    error_message = "The state machine speaks of a task that there is not."
  }
}

run "two_tasks_and_a_threshold_below_nothing_are_refused" {
  command = plan

  variables {
    task_above_bytes = -1
    tasks = [for number in [1, 2] : {
      cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/${number}"
      definition_arn     = "arn:aws:ecs:us-east-1:123456789012:task-definition/task:${number}"
      container_name     = "sync-worker"
      role_arns          = ["arn:aws:iam::123456789012:role/a"]
      capacity_provider  = "FARGATE"
      subnet_ids         = ["subnet-01234567"]
      security_group_ids = ["sg-01234567"]
      assign_public_ip   = true
    }]
  }

  expect_failures = [var.tasks, var.task_above_bytes]
}

run "batches_come_from_the_mirrors_bucket_so_many_at_a_time" {
  command = plan
  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.sync.definition).States.Copy.ItemReader.Parameters
      == { Bucket = "mirror", "Key.$" = "$.batches_key" }
    )
    error_message = "The Distributed Map reads other batches."
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.sync.definition).States.Copy.MaxConcurrency == 3
    error_message = "MaxConcurrency is not max_concurrency."
  }
}

run "failures_are_logged_and_kept_as_long_as_set" {
  command = plan
  assert {
    condition     = aws_sfn_state_machine.sync.logging_configuration[0].level == "ERROR"
    error_message = "The log level is ${aws_sfn_state_machine.sync.logging_configuration[0].level}."
  }

  assert {
    condition     = aws_cloudwatch_log_group.workflow.retention_in_days == 7
    error_message = "The workflow's log is kept for ever."
  }
}

run "the_workflow_may_do_this_and_nothing_else_and_nobody_else_may" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.workflow.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource] if statement.Sid != "DeliverItsLog"
      } == {
      CallWhatIsLive  = ["lambda:InvokeFunction", [var.orchestrator_arn, var.sync_worker_arn]]
      ReadTheBatches  = ["s3:GetObject", "arn:aws:s3:::mirror/syncs/*/plan/*"]
      StartItsMapRuns = ["states:StartExecution", var.state_machine_arn]
      FollowAndStopItsMapRuns = [["states:DescribeExecution", "states:StopExecution"], [
        "arn:aws:states:us-east-1:123456789012:execution:airbrew-dev-sync:*",
        "arn:aws:states:us-east-1:123456789012:execution:airbrew-dev-sync/copy:*",
      ]]
    }
    error_message = "The workflow's policy is ${aws_iam_role_policy.workflow.policy}."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.workflow.policy).Statement :
      alltrue([for action in statement.Action : startswith(action, "logs:")]) if statement.Resource == "*"
    ])
    error_message = "More than log delivery is allowed on every resource."
  }

  assert {
    condition = jsondecode(aws_iam_role.workflow.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    }]
    error_message = "The role's trust is ${aws_iam_role.workflow.assume_role_policy}."
  }
}

run "a_function_without_its_alias_no_concurrency_and_eight_days_are_refused" {
  command = plan

  variables {
    orchestrator_arn   = "arn:aws:lambda:us-east-1:123456789012:function:airbrew-dev-orchestrator"
    sync_worker_arn    = "arn:aws:lambda:us-east-1:123456789012:function:airbrew-dev-sync-worker:$LATEST"
    max_concurrency    = 0
    log_retention_days = 8
  }

  expect_failures = [
    var.orchestrator_arn,
    var.sync_worker_arn,
    var.max_concurrency,
    var.log_retention_days,
  ]
}

run "a_name_in_the_place_of_an_arn_is_refused" {
  command = plan

  variables {
    state_machine_arn        = "airbrew-dev-sync"
    permissions_boundary_arn = "airbrew-dev-boundary"
  }

  expect_failures = [var.state_machine_arn, var.permissions_boundary_arn]
}

run "a_boundary_is_put_around_every_role" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/airbrew-dev-boundary"
  }

  assert {
    condition     = aws_iam_role.workflow.permissions_boundary == var.permissions_boundary_arn
    error_message = "A role is made without the boundary: whoever may write its policy may give it anything."
  }
}
