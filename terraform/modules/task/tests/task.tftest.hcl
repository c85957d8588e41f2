mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:group" }
  }
}

variables {
  name               = "airbrew-dev-sync"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/airbrew/sync-worker@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  architecture       = "arm64"
  sizes              = { cpu_units = 1024, memory_mib = 2048, spot = true }
  environment        = { AIRBREW_SETTINGS_KEY = "settings/1.json", AIRBREW_BUCKET = "mirror" }
  worker_permissions = "[{\"Sid\": \"CopyBottles\", \"Effect\": \"Allow\", \"Action\": \"s3:PutObject\", \"Resource\": \"arn:aws:s3:::mirror/v2/*\"}]"
  network            = { subnet_ids = ["subnet-01234567"], security_group_ids = ["sg-01234567"], assign_public_ip = false }
  state_machine_arn  = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
  log_retention_days = 7
}

run "the_workflow_is_told_how_to_run_it" {
  assert {
    condition = jsonencode(output.task) == jsonencode({
      cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync"
      definition_arn     = "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1"
      container_name     = "sync-worker"
      role_arns          = ["arn:aws:iam::123456789012:role/role", "arn:aws:iam::123456789012:role/role"]
      capacity_provider  = "FARGATE_SPOT"
      subnet_ids         = ["subnet-01234567"]
      security_group_ids = ["sg-01234567"]
      assign_public_ip   = false
    })
    error_message = "The output is ${jsonencode(output.task)}."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.execution.policy).Statement[*].Resource == [
      "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/airbrew-dev-sync:*",
      "arn:aws:ecr:eu-west-1:123456789012:repository/airbrew/sync-worker",
      "*",
    ]
    error_message = "Fargate may do more to start it than is needed: ${aws_iam_role_policy.execution.policy}."
  }
}

run "an_interrupted_container_has_its_two_minutes_and_writes_nowhere" {
  command = plan

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.sync_worker.container_definitions) :
      container.stopTimeout == 120 && container.readonlyRootFilesystem
    ])
    error_message = "The container is ${aws_ecs_task_definition.sync_worker.container_definitions}."
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.sync_worker.container_definitions)[0].environment == [
      { name = "AIRBREW_BUCKET", value = "mirror" },
      { name = "AIRBREW_SETTINGS_KEY", value = "settings/1.json" },
    ]
    error_message = "The container is ${aws_ecs_task_definition.sync_worker.container_definitions}."
  }

  assert {
    condition     = aws_ecs_task_definition.sync_worker.runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "Fargate would run the image on another processor."
  }
}

run "the_worker_may_copy_and_answer_and_nothing_else" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.task.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      CopyBottles       = ["s3:PutObject", "arn:aws:s3:::mirror/v2/*"]
      AnswerTheWorkflow = [["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"], "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"]
    }
    error_message = "The task's policy is ${aws_iam_role_policy.task.policy}."
  }

  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    error_message = "Another account's tasks could take the role: ${aws_iam_role.task.assume_role_policy}."
  }
}

run "an_image_outside_ecr_needs_no_rights_there_and_paid_capacity_is_a_setting" {
  variables {
    image = "registry.example.com/sync-worker@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    sizes = { cpu_units = 1024, memory_mib = 2048, spot = false }
  }

  assert {
    condition     = length(jsondecode(aws_iam_role_policy.execution.policy).Statement) == 1
    error_message = "Fargate may do more to start it than is needed: ${aws_iam_role_policy.execution.policy}."
  }

  assert {
    condition     = output.task.capacity_provider == "FARGATE"
    error_message = "The capacity is ${output.task.capacity_provider}."
  }
}

run "what_fargate_would_refuse_is_refused" {
  command = plan

  variables {
    name               = "Airbrew"
    image              = "registry.example.com/sync-worker:latest"
    architecture       = "sparc"
    sizes              = { cpu_units = 300, memory_mib = 2048, spot = true }
    worker_permissions = "[]"
    network            = { subnet_ids = [], security_group_ids = [], assign_public_ip = false }
    log_retention_days = 8
  }

  expect_failures = [
    var.name,
    var.image,
    var.architecture,
    var.sizes,
    var.worker_permissions,
    var.network,
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
    condition     = aws_iam_role.task.permissions_boundary == var.permissions_boundary_arn && aws_iam_role.execution.permissions_boundary == var.permissions_boundary_arn
    error_message = "A role is made without the boundary: whoever may write its policy may give it anything."
  }
}
