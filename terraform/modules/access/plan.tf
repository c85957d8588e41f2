# Looking: what a plan, a drift report, `inv status` and `inv security.report` read. Both roles of GitHub may.
resource "aws_iam_policy" "look" {
  name        = "github-${local.prefix}-look"
  description = "What a workflow may read of ${local.prefix}."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ReadBuckets"
        Effect = "Allow"
        Action = ["s3:GetBucket*", "s3:Get*Configuration", "s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket"]
        Resource = flatten([
          for bucket in concat([local.state_bucket], local.own_buckets) : [bucket, "${bucket}/*"]
        ])
      },
      {
        # How it was at a deploy tells whether a way back to that is open.
        Sid      = "ReadEarlierStates"
        Effect   = "Allow"
        Action   = "s3:GetObjectVersion"
        Resource = "${local.state_bucket}/terraform/*"
      },
      {
        # A plan locks the state, so that nothing changes under its eyes.
        Sid      = "LockTheState"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = "${local.state_bucket}/terraform/*.tflock"
      },
      {
        Sid      = "NoteTheLastLookForDrift"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${local.state_bucket}/drift/*"
      },
      {
        Sid    = "ReadRoles"
        Effect = "Allow"
        Action = [
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
          "iam:ListRoleTags",
        ]
        Resource = [local.own_roles, "arn:aws:iam::${var.account.id}:role/github-${local.prefix}-*"]
      },
      {
        Sid    = "ReadWhatBoundsThem"
        Effect = "Allow"
        Action = ["iam:GetPolicy", "iam:GetPolicyVersion"]
        Resource = [
          "arn:aws:iam::${var.account.id}:policy/${local.prefix}-*",
          "arn:aws:iam::${var.account.id}:policy/github-${local.prefix}-*",
        ]
      },
      {
        Sid    = "ReadWhatRuns"
        Effect = "Allow"
        Action = [
          "ecr:DescribeImages",
          "ecs:Describe*",
          "ecs:ListTagsForResource",
          "lambda:GetAlias",
          "lambda:GetFunction",
          "lambda:GetFunctionCodeSigningConfig",
          "lambda:GetFunctionConfiguration",
          "lambda:GetFunctionConcurrency",
          "lambda:GetFunctionEventInvokeConfig",
          "lambda:GetLayerVersion",
          "lambda:GetPolicy",
          "lambda:GetProvisionedConcurrencyConfig",
          "lambda:ListAliases",
          "lambda:ListTags",
          "lambda:ListVersionsByFunction",
          "logs:GetLogEvents",
          "logs:ListTagsForResource",
          "scheduler:GetSchedule",
          "scheduler:GetScheduleGroup",
          "scheduler:ListTagsForResource",
          "states:DescribeExecution",
          "states:DescribeMapRun",
          "states:DescribeStateMachine",
          "states:GetExecutionHistory",
          "states:ListExecutions",
          "states:ListMapRuns",
          "states:ListStateMachineVersions",
          "states:ListTagsForResource",
        ]
        Resource = concat(
          local.own_functions,
          [local.own_images],
          local.own_logs,
          [for group in local.own_logs : "${group}:*"],
          local.own_machines,
          local.own_schedules,
          local.own_tasks,
        )
      },
      {
        Sid    = "ReadWhatWatches"
        Effect = "Allow"
        Action = [
          "cloudtrail:GetEventSelectors",
          "cloudtrail:GetInsightSelectors",
          "cloudtrail:GetTrail",
          "cloudtrail:GetTrailStatus",
          "cloudtrail:ListTags",
          "cloudwatch:GetDashboard",
          "cloudwatch:ListTagsForResource",
          "events:DescribeRule",
          "events:ListTagsForResource",
          "events:ListTargetsByRule",
          "secretsmanager:DescribeSecret",
          "sns:GetSubscriptionAttributes",
          "sns:GetTopicAttributes",
          "sns:ListSubscriptionsByTopic",
          "sns:ListTagsForResource",
          "sqs:GetQueueAttributes",
          "sqs:ListQueueTags",
        ]
        Resource = concat(local.own_watch, [local.own_secrets])
      },
      {
        # For these AWS takes "*" only, or names nothing that would say whose it is.
        # Source: Service Authorization Reference of each service.
        Sid    = "ReadWhereThereAreNoResources"
        Effect = "Allow"
        Action = [
          "cloudtrail:DescribeTrails",
          "cloudwatch:DescribeAlarms",
          "cloudwatch:GetMetricData",
          "ec2:Describe*",
          "ecs:DescribeTaskDefinition",
          "iam:GetAccountSummary",
          "iam:ListAccessKeys",
          "iam:ListRoles",
          "iam:ListUsers",
          "lambda:ListFunctions",
          "logs:DescribeLogGroups",
          "secretsmanager:ListSecrets",
          "states:ValidateStateMachineDefinition",
          "sts:GetCallerIdentity",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "look" {
  for_each = aws_iam_role.github

  role       = each.value.name
  policy_arn = aws_iam_policy.look.arn
}
