# Looking: what a plan and `inv status` read. Both roles of GitHub may.
resource "aws_iam_policy" "look" {
  name        = "github-${local.prefix}-look"
  description = "What a workflow may read of ${local.prefix}."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadBuckets"
        Effect   = "Allow"
        Action   = ["s3:GetBucket*", "s3:Get*Configuration", "s3:ListBucket", "s3:ListBucketVersions"]
        Resource = concat([local.state_bucket], local.own_buckets)
      },
      {
        # Not the trail's: who did what is read by people, with credentials of their own.
        Sid      = "ReadStateAndMirror"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = ["${local.state_bucket}/*", "${local.mirror_bucket}/*"]
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
        Sid      = "ReadRoles"
        Effect   = "Allow"
        Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
        Resource = local.own_roles
      },
      {
        Sid    = "ReadWhatRuns"
        Effect = "Allow"
        Action = [
          "ecr:DescribeImages",
          "ecs:DescribeClusters",
          "lambda:GetAlias",
          "lambda:GetFunction",
          "lambda:GetFunctionCodeSigningConfig",
          "lambda:GetFunctionConfiguration",
          "lambda:GetLayerVersion",
          "lambda:ListVersionsByFunction",
          "logs:DescribeLogStreams",
          "logs:ListTagsForResource",
          "scheduler:GetSchedule",
          "scheduler:GetScheduleGroup",
          "scheduler:ListTagsForResource",
          "states:DescribeStateMachine",
          "states:ListExecutions",
          "states:ListStateMachineVersions",
          "states:ListTagsForResource",
        ]
        Resource = concat(
          local.own_functions,
          [local.own_images],
          local.own_logs,
          [for group in local.own_logs : "${group}:*"],
          [local.own_machines],
          local.own_schedules,
          [local.own_clusters],
        )
      },
      {
        Sid    = "ReadWhatWatches"
        Effect = "Allow"
        Action = [
          "cloudtrail:GetEventSelectors",
          "cloudtrail:GetInsightSelectors",
          "cloudtrail:GetTrailStatus",
          "cloudtrail:ListTags",
          "cloudwatch:ListTagsForResource",
          "events:DescribeRule",
          "events:ListTagsForResource",
          "events:ListTargetsByRule",
          "secretsmanager:DescribeSecret",
          "sns:GetSubscriptionAttributes",
          "sns:GetTopicAttributes",
          "sns:ListTagsForResource",
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
          "ec2:Describe*",
          "ecs:DescribeTaskDefinition",
          "logs:DescribeLogGroups",
          "states:ValidateStateMachineDefinition",
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

# What only the reports read, `inv drift` and `inv security.report`: the role that plans may.
resource "aws_iam_role_policy" "report" {
  name = "report"
  role = aws_iam_role.github["plan"].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "NoteTheLastLookForDrift"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${local.state_bucket}/drift/*"
      },
      {
        Sid      = "ReadWhatLetsGithubIn"
        Effect   = "Allow"
        Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
        Resource = "arn:aws:iam::${var.account.id}:role/github-${local.prefix}-*"
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
        Sid      = "ReadWhoMayCall"
        Effect   = "Allow"
        Action   = "lambda:GetPolicy"
        Resource = local.own_functions[0]
      },
      {
        Sid      = "ReadTheTrail"
        Effect   = "Allow"
        Action   = "cloudtrail:GetTrail"
        Resource = local.own_trail
      },
      {
        Sid      = "ReadWhoHasKeys"
        Effect   = "Allow"
        Action   = "iam:ListAccessKeys"
        Resource = "arn:aws:iam::${var.account.id}:user/*"
      },
      {
        # For these AWS takes "*" only.
        # Source: Service Authorization Reference of each service.
        Sid    = "ReadTheAccount"
        Effect = "Allow"
        Action = [
          "cloudtrail:LookupEvents",
          "iam:GetAccountSummary",
          "iam:ListRoles",
          "iam:ListUsers",
          "lambda:ListFunctions",
        ]
        Resource = "*"
      },
    ]
  })
}
