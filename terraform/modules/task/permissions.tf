locals {
  # An image in ECR is pulled with the execution role; any other registry here is a public one.
  ecr = try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.com/(?P<name>[^@]+)@", var.image), null)

  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = element(split(":", var.state_machine_arn), 4) } }
    }]
  })
}

resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  description          = "What the sync worker may do in the task ${var.name}."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  assume_role_policy   = local.trust
}

resource "aws_iam_role_policy" "task" {
  name = "mirror"
  role = aws_iam_role.task.name

  policy = jsonencode({
    Version = "2012-10-17"
    # What it needs to carry batches in Lambda; here it answers for itself. Nothing is verified here.
    Statement = concat(jsondecode(var.worker_permissions), [{
      Sid      = "AnswerTheWorkflow"
      Effect   = "Allow"
      Action   = ["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
      Resource = var.state_machine_arn
    }])
  })
}

resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  description          = "What Fargate does to start the task ${var.name}: pull its image, write its log."
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  assume_role_policy   = local.trust
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteItsLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:${local.region}:${element(split(":", var.state_machine_arn), 4)}:log-group:${aws_cloudwatch_log_group.task.name}:*"
      }],
      [for found in local.ecr[*] : {
        Sid      = "PullItsImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:aws:ecr:${found.region}:${found.account}:repository/${found.name}"
      }],
      [for _ in local.ecr[*] : {
        # A token is for a whole registry: AWS takes "*" only.
        # Source: Service Authorization Reference, Amazon ECR, GetAuthorizationToken.
        Sid      = "LogInToItsRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      }],
    )
  })
}
