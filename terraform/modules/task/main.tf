locals {
  region         = element(split(":", var.state_machine_arn), 3)
  container_name = "sync-worker"
}

resource "aws_ecs_cluster" "sync" {
  name = var.name
}

resource "aws_ecs_cluster_capacity_providers" "sync" {
  cluster_name       = aws_ecs_cluster.sync.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_cloudwatch_log_group" "task" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "sync_worker" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.sizes.cpu_units
  memory                   = var.sizes.memory_mib
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = upper(var.architecture)
  }

  container_definitions = jsonencode([{
    name      = local.container_name
    image     = var.image
    essential = true
    # Nothing is written to its own disk: bottles pass through memory.
    readonlyRootFilesystem = true
    # A Spot interruption is announced two minutes ahead; it takes them to leave in good order.
    stopTimeout = 120
    environment = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.task.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = "sync"
      }
    }
  }])
}
