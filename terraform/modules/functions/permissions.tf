# What each function may do: nothing beyond the keys that docs/reference/bucket-layout.md gives it. Only
# the collector may delete, and it can write nothing that clients read.
locals {
  objects = "${var.mirror_bucket.arn}/"
  # Spelled out, so that a plan shows whole policies even before the log groups are there.
  place          = join(":", slice(split(":", var.state_machine_arn), 3, 5))
  executions_arn = "${replace(var.state_machine_arn, ":stateMachine:", ":execution:")}:*"

  orchestrator_permissions = [
    {
      # Without it S3 answers 403 for a key that is not there, which is not an answer.
      Sid      = "ListTheMirror"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = var.mirror_bucket.arn
    },
    {
      Sid      = "ReadTheMirror"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${local.objects}*"
    },
    {
      Sid    = "PlanAndPublish"
      Effect = "Allow"
      Action = "s3:PutObject"
      Resource = [
        "${local.objects}api/*",
        "${local.objects}channels/*",
        "${local.objects}index.html",
        "${local.objects}reports/verify/*",
        "${local.objects}snapshots/*",
        "${local.objects}status/*",
        "${local.objects}syncs/*",
        "${local.objects}v2/*/manifests/*",
      ]
    },
    {
      # A lease whose execution has ended is free.
      Sid      = "SeeWhoHoldsTheLease"
      Effect   = "Allow"
      Action   = "states:DescribeExecution"
      Resource = local.executions_arn
    },
  ]

  collector_permissions = [
    {
      Sid      = "ListTheMirror"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = var.mirror_bucket.arn
    },
    {
      Sid    = "ReadWhatIsKept"
      Effect = "Allow"
      Action = "s3:GetObject"
      Resource = [
        "${local.objects}channels/*",
        "${local.objects}retention/*",
        "${local.objects}settings/*",
        "${local.objects}snapshots/*",
        "${local.objects}syncs/lease.json",
      ]
    },
    {
      Sid    = "RememberAndReport"
      Effect = "Allow"
      Action = "s3:PutObject"
      Resource = [
        "${local.objects}reports/gc/*",
        "${local.objects}retention/*",
        "${local.objects}syncs/lease.json",
      ]
    },
    {
      # Never a version: what it deletes can be brought back for mirror.keep_replaced_days.
      Sid    = "DeleteWhatNobodyNames"
      Effect = "Allow"
      Action = "s3:DeleteObject"
      Resource = [
        "${local.objects}api/*",
        "${local.objects}channels/*/api/*",
        "${local.objects}snapshots/*",
        "${local.objects}syncs/*/*",
        "${local.objects}v2/*/blobs/*",
        "${local.objects}v2/*/manifests/*",
      ]
    },
    {
      Sid      = "SeeWhoHoldsTheLease"
      Effect   = "Allow"
      Action   = "states:DescribeExecution"
      Resource = local.executions_arn
    },
  ]

  # What carries a batch needs, in a function or in the task.
  copying_permissions = [
    {
      Sid      = "ListTheMirror"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = var.mirror_bucket.arn
    },
    {
      Sid    = "ReadWhatToCopy"
      Effect = "Allow"
      Action = "s3:GetObject"
      Resource = [
        "${local.objects}settings/*",
        "${local.objects}syncs/*",
        "${local.objects}v2/*",
      ]
    },
    {
      Sid      = "CopyBottles"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      Resource = "${local.objects}v2/*/blobs/*"
    },
    {
      Sid    = "ReportAndHoldTheLease"
      Effect = "Allow"
      Action = "s3:PutObject"
      Resource = [
        "${local.objects}syncs/*/results/*",
        "${local.objects}syncs/lease.json",
      ]
    },
  ]

  sync_worker_permissions = concat(local.copying_permissions, [
    {
      Sid    = "ReadWhatToVerify"
      Effect = "Allow"
      Action = "s3:GetObject"
      Resource = [
        "${local.objects}reports/verify/*",
        "${local.objects}snapshots/*",
      ]
    },
    {
      Sid      = "ReportWhatWasVerified"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = "${local.objects}reports/verify/*"
    },
  ])
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name                 = each.value.name
  description          = "What the function ${each.value.name} may do."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name = "mirror"
  role = aws_iam_role.function[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(each.value.permissions, [{
      Sid      = "WriteItsLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:aws:logs:${local.place}:log-group:${aws_cloudwatch_log_group.function[each.key].name}:*"
    }])
  })
}
