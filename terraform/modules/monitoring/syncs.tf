# A mirror that is no longer kept fresh is told of, too: a sync that ended badly, or that never began.
locals {
  # As modules/airbrew names the state machine and the schedule's group.
  sync = "${var.name_prefix}-sync"
}

resource "aws_cloudwatch_event_rule" "sync" {
  name        = "${local.sync}-failed"
  description = "Operation: a sync ended without publishing."

  # Source: Step Functions, "Execution Status Change".
  event_pattern = jsonencode({
    "detail-type" = ["Step Functions Execution Status Change"]
    account       = [var.account.id]
    detail = {
      status          = ["ABORTED", "FAILED", "TIMED_OUT"]
      stateMachineArn = ["arn:aws:states:${var.account.region}:${var.account.id}:stateMachine:${local.sync}"]
    }
  })
}

resource "aws_cloudwatch_event_target" "sync" {
  rule      = aws_cloudwatch_event_rule.sync.name
  target_id = "people"
  arn       = aws_sns_topic.security.arn

  input_transformer {
    input_paths = {
      error  = "$.detail.error"
      name   = "$.detail.name"
      status = "$.detail.status"
      when   = "$.time"
    }
    input_template = join("\n", [
      "\"${var.name_prefix}: a sync ended without publishing; Macs get what they got before.\"",
      "\"sync:  <name> <status> <error>\"",
      "\"when:  <when>\"",
      "\"next:  `inv mirror.report` names what failed and what to do; `inv mirror.sync` goes on from there.\"",
    ])
  }
}

resource "aws_cloudwatch_metric_alarm" "unstarted" {
  alarm_name          = "${local.sync}-unstarted"
  alarm_description   = "The schedule could not start a sync: see that the schedule and its role are as deployed (`inv drift`), then `inv mirror.sync`."
  namespace           = "AWS/Scheduler"
  metric_name         = "InvocationDroppedCount"
  dimensions          = { ScheduleGroup = local.sync }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.security.arn]
}
