# What no role goes beyond, whatever its policies come to say. A boundary gives nothing, it only bounds.

# Around every role that the deploy role makes: what functions, tasks, workflow and schedule can at most be given.
resource "aws_iam_policy" "boundary" {
  name        = "${local.prefix}-boundary"
  description = "The most that a role of ${local.prefix} can be given."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "TheMirrorsObjects"
        Effect = "Allow"
        Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource = [
          local.mirror_bucket,
          "${local.mirror_bucket}/*",
        ]
      },
      {
        Sid    = "TheWorkflow"
        Effect = "Allow"
        Action = [
          "states:DescribeExecution",
          "states:SendTaskFailure",
          "states:SendTaskHeartbeat",
          "states:SendTaskSuccess",
          "states:StartExecution",
          "states:StopExecution",
        ]
        Resource = concat([local.own_machines], local.own_runs)
      },
      {
        Sid      = "CallFunctions"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = local.own_functions
      },
      {
        Sid      = "RunTasks"
        Effect   = "Allow"
        Action   = "ecs:RunTask"
        Resource = local.own_tasks
      },
      {
        Sid       = "GiveTasksTheirRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = local.own_roles
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for group in local.own_logs : "${group}:*"]
      },
      {
        Sid      = "TellPeople"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "sns:Publish"]
        Resource = concat([local.own_secrets], [for arn in local.own_watch : arn if startswith(arn, "arn:aws:sns:")])
      },
      {
        Sid      = "HandOnWhatIsToldElsewhere"
        Effect   = "Allow"
        Action   = "events:PutEvents"
        Resource = local.own_bus
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:aws:ecr:*:*:repository/*"
      },
      {
        # For these AWS takes "*" only.
        # Source: Service Authorization Reference: Amazon ECR, CloudWatch; Step Functions, "Logging to CloudWatch Logs".
        Sid    = "WhereThereAreNoResources"
        Effect = "Allow"
        Action = [
          "cloudwatch:PutMetricData",
          "ecr:GetAuthorizationToken",
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
    ]
  })
}

# Around the two roles of GitHub: guard rails that hold even should somebody give them more.
resource "aws_iam_policy" "ceiling" {
  # checkov:skip=CKV_AWS_286:a boundary gives nothing; what the roles are given is in deploy.tf and plan.tf, which are checked
  # checkov:skip=CKV_AWS_287:likewise
  # checkov:skip=CKV_AWS_288:likewise
  # checkov:skip=CKV_AWS_289:likewise
  # checkov:skip=CKV_AWS_290:likewise
  # checkov:skip=CKV_AWS_355:likewise
  name        = "github-${local.prefix}-ceiling"
  description = "What no workflow can do in ${local.prefix}, whatever else its role is given."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "TheServicesThatWeUse"
        Effect = "Allow"
        Action = [
          "cloudtrail:*",
          "cloudwatch:*",
          "ec2:*",
          "ecr:*",
          "ecs:*",
          "events:*",
          # About roles only: no user, no key, no policy that others use.
          "iam:CreateRole",
          "iam:CreateServiceLinkedRole",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy",
          "iam:Get*",
          "iam:List*",
          "iam:PassRole",
          "iam:PutRolePermissionsBoundary",
          "iam:PutRolePolicy",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
          "lambda:*",
          "logs:*",
          "s3:*",
          "scheduler:*",
          "secretsmanager:DescribeSecret",
          "sns:*",
          "states:*",
        ]
        Resource = "*"
      },
      {
        Sid    = "NeverWhatLetsItIn"
        Effect = "Deny"
        Action = ["iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Tag*", "iam:Untag*", "iam:Update*"]
        Resource = [
          "arn:aws:iam::${var.account.id}:role/github-*",
          "arn:aws:iam::${var.account.id}:policy/*",
          "arn:aws:iam::${var.account.id}:oidc-provider/*",
        ]
      },
      {
        Sid      = "NeverTheStateOfTheAccess"
        Effect   = "Deny"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = "${local.state_bucket}/access/*"
      },
      {
        Sid    = "NeverDataForGood"
        Effect = "Deny"
        Action = [
          "s3:BypassGovernanceRetention",
          "s3:DeleteBucket",
          "s3:DeleteObjectVersion",
          "s3:PutBucketAcl",
          "s3:PutObjectAcl",
        ]
        Resource = "*"
      },
      {
        Sid      = "NeverWhatShowsWhatItDid"
        Effect   = "Deny"
        Action   = ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging"]
        Resource = "*"
      },
    ]
  })
}
