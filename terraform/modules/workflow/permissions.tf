locals {
  account_id     = element(split(":", var.state_machine_arn), 4)
  executions_arn = replace(var.state_machine_arn, ":stateMachine:", ":execution:")
  map_label      = local.states.States.Copy.Label
}

resource "aws_iam_role" "workflow" {
  name                 = local.name
  description          = "What the state machine ${local.name} may do."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "workflow" {
  name = "sync"
  role = aws_iam_role.workflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(flatten([for task in var.tasks : [
      {
        Sid       = "RunTheTask"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = task.definition_arn
        Condition = { ArnEquals = { "ecs:cluster" = task.cluster_arn } }
      },
      {
        Sid       = "GiveTheTaskItsRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = task.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      ]]), [
      {
        Sid      = "CallWhatIsLive"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = [var.orchestrator_arn, var.sync_worker_arn]
      },
      {
        Sid      = "ReadTheBatches"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${var.mirror_bucket.arn}/syncs/*/plan/*"
      },
      {
        # A Distributed Map starts a child execution of its own state machine for each item.
        Sid      = "StartItsMapRuns"
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = var.state_machine_arn
      },
      {
        Sid    = "FollowAndStopItsMapRuns"
        Effect = "Allow"
        Action = ["states:DescribeExecution", "states:StopExecution"]
        Resource = [
          "${local.executions_arn}:*",
          "${local.executions_arn}/${local.map_label}:*",
        ]
      },
      {
        # CloudWatch's log delivery knows no resources: AWS takes "*" only.
        # Source: Step Functions, "Logging to CloudWatch Logs", IAM policies.
        Sid    = "DeliverItsLog"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery",
          "logs:DeleteLogDelivery",
          "logs:DescribeLogGroups",
          "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery",
          "logs:ListLogDeliveries",
          "logs:PutResourcePolicy",
          "logs:UpdateLogDelivery",
        ]
        Resource = "*"
      },
    ])
  })
}
