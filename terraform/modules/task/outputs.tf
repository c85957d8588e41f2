output "task" {
  description = "What the workflow needs to run it: as modules/workflow takes it."
  value = {
    cluster_arn        = aws_ecs_cluster.sync.arn
    definition_arn     = aws_ecs_task_definition.sync_worker.arn
    container_name     = local.container_name
    role_arns          = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
    capacity_provider  = var.sizes.spot ? "FARGATE_SPOT" : "FARGATE"
    subnet_ids         = var.network.subnet_ids
    security_group_ids = var.network.security_group_ids
    assign_public_ip   = var.network.assign_public_ip
  }

  # Before that the cluster refuses to run anything on Fargate's capacity.
  depends_on = [aws_ecs_cluster_capacity_providers.sync]
}
