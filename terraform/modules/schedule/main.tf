locals {
  place = join(":", slice(split(":", var.state_machine_arn), 3, 5))
  # Spelled out, so that a plan shows the whole trust policy even before the group is there.
  group_arn = "arn:aws:scheduler:${local.place}:schedule-group/${aws_scheduler_schedule_group.sync.name}"
}

resource "aws_scheduler_schedule_group" "sync" {
  name = var.name
}

resource "aws_scheduler_schedule" "sync" {
  name                         = var.name
  description                  = "Starts a sync of the mirror."
  group_name                   = aws_scheduler_schedule_group.sync.name
  schedule_expression          = var.expression
  schedule_expression_timezone = var.timezone
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  # Homebrew's servers are shared: mirrors that all begin at three o'clock sharp are a flood.
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = var.state_machine_arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode({})

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
  }
}

# A soak ends by the clock: not only when a sync ends well, and whether or not syncs are scheduled.
resource "aws_scheduler_schedule" "soak" {
  count = var.soak_function_arn == "" ? 0 : 1

  name                = "${var.name}-soak"
  description         = "Lets snapshots that have soaked go on to the next channel."
  group_name          = aws_scheduler_schedule_group.sync.name
  schedule_expression = "rate(15 minutes)"
  state               = "ENABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.soak_function_arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode({ action = "soak" })

    # The next quarter of an hour does the same.
    retry_policy {
      maximum_event_age_in_seconds = 900
      maximum_retry_attempts       = 0
    }
  }
}

resource "aws_iam_role" "schedule" {
  name                 = "${var.name}-schedule"
  description          = "What the schedule ${var.name} may do."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      # The group stands for its schedules here.
      # Source: EventBridge Scheduler, "Confused deputy prevention".
      Condition = { ArnEquals = { "aws:SourceArn" = local.group_arn } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "start"
  role = aws_iam_role.schedule.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "StartASync"
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = var.state_machine_arn
      }],
      [for arn in compact([var.soak_function_arn]) : {
        Sid      = "LetWhatHasSoakedGoOn"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = arn
      }],
    )
  })
}
