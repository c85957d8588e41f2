# IAM, sign-ins and what else has no region are told in us-east-1 only: an environment elsewhere has each rule there, too,
# and what it matches is handed on to the bus here, where the same rule matches it again and tells people.
# A third region has none: how root is heard of there is in README.md.
# Source: AWS re:Post, "Why does my EventBridge rule for IAM events only trigger in us-east-1?"; EventBridge, "Sending and receiving events between Regions".
locals {
  global_region = "us-east-1"
  # Not `bucket` and `trail`: what those are about is in the environment's own region.
  global_notices = {
    for name in ["access", "console", "denied", "root", "rules", "subject", "trust"] : name => local.notices[name]
    if var.account.region != local.global_region
  }
  bus_arn = "arn:aws:events:${var.account.region}:${var.account.id}:event-bus/default"
}

resource "aws_cloudwatch_event_rule" "global" {
  for_each = local.global_notices
  provider = aws.global

  name          = "${var.name_prefix}-${each.key}"
  description   = "Security, handed on to ${var.account.region}: ${each.value.means}."
  state         = local.states[each.key]
  event_pattern = local.patterns[each.key]
}

resource "aws_cloudwatch_event_target" "global" {
  for_each = local.global_notices
  provider = aws.global

  rule      = aws_cloudwatch_event_rule.global[each.key].name
  target_id = "here"
  arn       = local.bus_arn
  role_arn  = aws_iam_role.notices[0].arn
}

resource "aws_iam_role" "notices" {
  count = length(local.global_notices) > 0 ? 1 : 0

  name                 = "${var.name_prefix}-notices"
  description          = "Hands on to ${var.account.region} what is told in ${local.global_region} only."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account.id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:events:${local.global_region}:${var.account.id}:rule/${var.name_prefix}-*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "notices" {
  count = length(local.global_notices) > 0 ? 1 : 0

  name = "hand-on"
  role = aws_iam_role.notices[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "HandOnToTheBusHere"
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = local.bus_arn
    }]
  })
}
