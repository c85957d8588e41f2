# How people are told: one topic, and an alarm for when it is not reached.
locals {
  topic_arn = "arn:aws:sns:${var.account.region}:${var.account.id}:${var.name_prefix}-security"
}

resource "aws_sns_topic" "security" {
  name = "${var.name_prefix}-security"

  # Inside of the topic: a resource of its own would change what the topic says of itself, which is then told as drift.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RulesAndAlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "address" {
  for_each = toset(var.addresses)

  topic_arn = aws_sns_topic.security.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "untold" {
  alarm_name          = "${var.name_prefix}-security-untold"
  alarm_description   = "A notice did not reach somebody: look at the subscriptions of the topic ${var.name_prefix}-security."
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfNotificationsFailed"
  dimensions          = { TopicName = aws_sns_topic.security.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.security.arn]
}
