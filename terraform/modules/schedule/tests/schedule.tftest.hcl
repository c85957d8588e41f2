mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_scheduler_schedule_group" {
    defaults = { arn = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/airbrew-dev-sync" }
  }
}

variables {
  name              = "airbrew-dev-sync"
  expression        = "cron(0 3 ? * SUN *)"
  timezone          = "Europe/Berlin"
  enabled           = true
  state_machine_arn = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
}

run "the_schedule_starts_the_state_machine_when_told_to_within_a_window" {
  assert {
    condition = [
      aws_scheduler_schedule.sync.schedule_expression,
      aws_scheduler_schedule.sync.schedule_expression_timezone,
      aws_scheduler_schedule.sync.state,
      aws_scheduler_schedule.sync.target[0].arn,
      aws_scheduler_schedule.sync.target[0].input,
    ] == ["cron(0 3 ? * SUN *)", "Europe/Berlin", "ENABLED", var.state_machine_arn, "{}"]
    error_message = "The schedule starts something else, or at another time."
  }

  assert {
    condition = (
      aws_scheduler_schedule.sync.flexible_time_window[0].mode == "FLEXIBLE"
      && aws_scheduler_schedule.sync.flexible_time_window[0].maximum_window_in_minutes == 15
    )
    error_message = "There is no window: every mirror of the world begins at three o'clock sharp."
  }
}

run "a_schedule_that_is_off_stays_there_and_does_nothing" {
  command = plan

  variables {
    enabled = false
  }

  assert {
    condition     = aws_scheduler_schedule.sync.state == "DISABLED"
    error_message = "enabled = false still starts syncs."
  }
}

run "the_schedule_may_start_this_state_machine_and_nothing_else" {
  command = plan
  assert {
    condition = jsondecode(aws_iam_role_policy.schedule.policy).Statement == [{
      Sid      = "StartASync"
      Effect   = "Allow"
      Action   = "states:StartExecution"
      Resource = var.state_machine_arn
    }]
    error_message = "The schedule's policy is ${aws_iam_role_policy.schedule.policy}."
  }

  assert {
    condition = jsondecode(aws_iam_role.schedule.assume_role_policy).Statement[0].Condition == {
      ArnEquals = { "aws:SourceArn" = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/airbrew-dev-sync" }
    }
    error_message = "Schedules of other groups get the role, too."
  }
}

run "without_channels_nothing_soaks" {
  command = plan

  assert {
    condition     = length(aws_scheduler_schedule.soak) == 0
    error_message = "A function is called every quarter of an hour for nothing."
  }
}

run "what_has_soaked_goes_on_by_the_clock_even_where_no_sync_is_scheduled" {
  variables {
    enabled           = false
    soak_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:airbrew-dev-orchestrator:live"
  }

  assert {
    condition = [
      aws_scheduler_schedule.soak[0].schedule_expression,
      aws_scheduler_schedule.soak[0].state,
      aws_scheduler_schedule.soak[0].target[0].arn,
      aws_scheduler_schedule.soak[0].target[0].input,
    ] == ["rate(15 minutes)", "ENABLED", var.soak_function_arn, "{\"action\":\"soak\"}"]
    error_message = "Soaked snapshots wait for a sync."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.schedule.policy).Statement[1] == {
      Sid      = "LetWhatHasSoakedGoOn"
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = var.soak_function_arn
    }
    error_message = "The schedule's policy is ${aws_iam_role_policy.schedule.policy}."
  }
}

run "what_is_no_time_and_names_that_aws_refuses_are_refused_here" {
  command = plan

  variables {
    name                     = "airbrew dev"
    expression               = "0 3 * * 0"
    timezone                 = "half past three"
    state_machine_arn        = "airbrew-dev-sync"
    soak_function_arn        = "airbrew-dev-orchestrator"
    permissions_boundary_arn = "airbrew-dev-boundary"
  }

  expect_failures = [var.name, var.expression, var.timezone, var.state_machine_arn, var.soak_function_arn, var.permissions_boundary_arn]
}

run "a_boundary_is_put_around_every_role" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/airbrew-dev-boundary"
  }

  assert {
    condition     = aws_iam_role.schedule.permissions_boundary == var.permissions_boundary_arn
    error_message = "A role is made without the boundary: whoever may write its policy may give it anything."
  }
}
