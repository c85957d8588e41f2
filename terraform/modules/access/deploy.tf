# Deploying: what `inv deploy` and its Terraform change. What both roles may read is in plan.tf.
locals {
  may_deploy = {
    # The delivery's own bucket: it is there already, and nothing in it is ever overwritten for good.
    state = [
      {
        Sid      = "KeepStateAndHistory"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = "${local.state_bucket}/*"
      },
    ]

    buckets = [
      {
        Sid    = "MakeBucketsSafe"
        Effect = "Allow"
        Action = [
          "s3:CreateBucket",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketTagging",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
        ]
        Resource = local.own_buckets
      },
      {
        Sid      = "WriteTheMirrorsSettings"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${local.mirror_bucket}/settings/*"
      },
    ]

    roles = [
      {
        # A role that is made, or given more, has the boundary around it.
        Sid       = "MakeBoundedRoles"
        Effect    = "Allow"
        Action    = ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        Resource  = local.own_roles
        Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary.arn } }
      },
      {
        Sid    = "ChangeAndDropRoles"
        Effect = "Allow"
        Action = [
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy",
          "iam:ListInstanceProfilesForRole",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
        ]
        Resource = local.own_roles
      },
      {
        Sid      = "HandRolesToTheServices"
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = local.own_roles
        Condition = {
          StringEquals = {
            "iam:PassedToService" = [
              "ecs-tasks.amazonaws.com",
              "events.amazonaws.com",
              "lambda.amazonaws.com",
              "scheduler.amazonaws.com",
              "states.amazonaws.com",
            ]
          }
        }
      },
      {
        # ECS makes its own role in an account the first time that it is used there.
        Sid       = "LetEcsBegin"
        Effect    = "Allow"
        Action    = "iam:CreateServiceLinkedRole"
        Resource  = "arn:aws:iam::${var.account.id}:role/aws-service-role/ecs.amazonaws.com/*"
        Condition = { StringEquals = { "iam:AWSServiceName" = "ecs.amazonaws.com" } }
      },
    ]

    machinery = [
      {
        Sid    = "ChangeFunctions"
        Effect = "Allow"
        Action = [
          "lambda:CreateAlias",
          "lambda:CreateFunction",
          "lambda:DeleteAlias",
          "lambda:DeleteFunction",
          "lambda:DeleteLayerVersion",
          "lambda:InvokeFunction",
          "lambda:PublishLayerVersion",
          "lambda:PublishVersion",
          "lambda:TagResource",
          "lambda:UntagResource",
          "lambda:UpdateAlias",
          "lambda:UpdateFunctionCode",
          "lambda:UpdateFunctionConfiguration",
        ]
        Resource = local.own_functions
      },
      {
        Sid    = "ChangeAndRunTheWorkflow"
        Effect = "Allow"
        Action = [
          "states:CreateStateMachine",
          "states:DeleteStateMachine",
          "states:StartExecution",
          "states:TagResource",
          "states:UntagResource",
          "states:UpdateStateMachine",
        ]
        Resource = local.own_machines
      },
      {
        Sid    = "FollowWhatRuns"
        Effect = "Allow"
        Action = [
          "states:DescribeExecution",
          "states:DescribeMapRun",
          "states:GetExecutionHistory",
          "states:ListMapRuns",
        ]
        Resource = local.own_runs
      },
      {
        Sid    = "ChangeSchedules"
        Effect = "Allow"
        Action = [
          "scheduler:CreateSchedule",
          "scheduler:CreateScheduleGroup",
          "scheduler:DeleteSchedule",
          "scheduler:DeleteScheduleGroup",
          "scheduler:TagResource",
          "scheduler:UntagResource",
          "scheduler:UpdateSchedule",
        ]
        Resource = local.own_schedules
      },
      {
        Sid    = "ChangeLogGroups"
        Effect = "Allow"
        Action = [
          "logs:CreateLogGroup",
          "logs:DeleteLogGroup",
          "logs:PutRetentionPolicy",
          "logs:TagResource",
          "logs:UntagResource",
        ]
        Resource = concat(local.own_logs, [for group in local.own_logs : "${group}:*"])
      },
      {
        # As in modules/workflow: a state machine that logs is made with these, and AWS takes "*" only.
        Sid    = "LetTheWorkflowLog"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery",
          "logs:DeleteLogDelivery",
          "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery",
          "logs:ListLogDeliveries",
          "logs:PutResourcePolicy",
          "logs:UpdateLogDelivery",
        ]
        Resource = "*"
      },
    ]

    task = [
      {
        Sid    = "ChangeTheTask"
        Effect = "Allow"
        Action = [
          "ecs:CreateCluster",
          "ecs:DeleteCluster",
          "ecs:ListTagsForResource",
          "ecs:PutClusterCapacityProviders",
          "ecs:TagResource",
          "ecs:UntagResource",
        ]
        Resource = [local.own_clusters, local.own_tasks]
      },
      {
        # AWS takes "*" only for taking a definition back. Source: Service Authorization Reference, Amazon ECS.
        Sid      = "DefineTheTask"
        Effect   = "Allow"
        Action   = ["ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition"]
        Resource = "*"
      },
      {
        # A network has no name in its ARN: what is made here is tagged, and only what is tagged so is changed.
        Sid    = "MakeANetworkOfItsOwn"
        Effect = "Allow"
        Action = [
          "ec2:CreateInternetGateway",
          "ec2:CreateRouteTable",
          "ec2:CreateSecurityGroup",
          "ec2:CreateSubnet",
          "ec2:CreateTags",
          "ec2:CreateVpc",
        ]
        Resource  = "arn:aws:ec2:${local.here}:*/*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.account.region } }
      },
      {
        Sid    = "ChangeTheNetworkOfItsOwn"
        Effect = "Allow"
        Action = [
          "ec2:AssociateRouteTable",
          "ec2:AttachInternetGateway",
          "ec2:AuthorizeSecurityGroupEgress",
          "ec2:CreateRoute",
          "ec2:DeleteInternetGateway",
          "ec2:DeleteRoute",
          "ec2:DeleteRouteTable",
          "ec2:DeleteSecurityGroup",
          "ec2:DeleteSubnet",
          "ec2:DeleteTags",
          "ec2:DeleteVpc",
          "ec2:DetachInternetGateway",
          "ec2:DisassociateRouteTable",
          "ec2:ModifySubnetAttribute",
          "ec2:ModifyVpcAttribute",
          "ec2:RevokeSecurityGroupEgress",
          "ec2:RevokeSecurityGroupIngress",
        ]
        Resource = "arn:aws:ec2:${local.here}:*/*"
        Condition = { StringEquals = {
          "aws:ResourceTag/Project"     = var.environment.project
          "aws:ResourceTag/Environment" = var.environment.name
        } }
      },
    ]

    image = [
      {
        # A tag there means one image for ever: none is deleted, and none is put in another's place.
        Sid    = "PushTheImage"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:CreateRepository",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:PutLifecyclePolicy",
          "ecr:TagResource",
          "ecr:UploadLayerPart",
        ]
        Resource = local.own_images
      },
      {
        # AWS takes "*" only. Source: Service Authorization Reference, Amazon ECR.
        Sid      = "LogInToTheRegistry"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
    ]

    watch = [
      {
        Sid    = "ChangeWhatWatches"
        Effect = "Allow"
        Action = [
          "cloudtrail:AddTags",
          "cloudtrail:CreateTrail",
          "cloudtrail:PutEventSelectors",
          "cloudtrail:RemoveTags",
          "cloudtrail:StartLogging",
          "cloudtrail:UpdateTrail",
          "cloudwatch:DeleteAlarms",
          "cloudwatch:PutMetricAlarm",
          "cloudwatch:TagResource",
          "cloudwatch:UntagResource",
          "events:DeleteRule",
          "events:PutRule",
          "events:PutTargets",
          "events:RemoveTargets",
          "events:TagResource",
          "events:UntagResource",
          "sns:CreateTopic",
          "sns:DeleteTopic",
          "sns:SetTopicAttributes",
          "sns:Subscribe",
          "sns:TagResource",
          "sns:Unsubscribe",
          "sns:UntagResource",
        ]
        Resource = local.own_watch
      },
    ]
  }
}

resource "aws_iam_role_policy" "deploy" {
  for_each = local.may_deploy

  name   = each.key
  role   = aws_iam_role.github["deploy"].name
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
