locals {
  live_arns = {
    for key, alias in aws_lambda_alias.live :
    key => "arn:aws:lambda:${local.place}:function:${alias.function_name}:${alias.name}"
  }
}

output "orchestrator" {
  description = "The function that plans and publishes: its name, and the ARN of the version in service."
  value = {
    name     = aws_lambda_function.function["orchestrator"].function_name
    live_arn = local.live_arns["orchestrator"]
  }
}

output "collector" {
  description = "The function that may delete what no kept snapshot names: its name."
  value       = { name = aws_lambda_function.function["collector"].function_name }
}

output "sync_worker" {
  description = "The function that copies bottles: its name, the ARN of the version in service; and what it needs to carry batches, in a task, too."
  value = {
    name        = aws_lambda_function.function["sync_worker"].function_name
    live_arn    = local.live_arns["sync_worker"]
    permissions = jsonencode(local.copying_permissions)
    environment = {
      AIRBREW_BUCKET       = var.mirror_bucket.name
      AIRBREW_SETTINGS_KEY = local.settings_key
    }
  }
}

output "versions" {
  description = "Each function by its name: the version that was published last, which serves once the alias is moved to it."
  value = {
    for function in aws_lambda_function.function : function.function_name => function.version
  }
}

output "settings" {
  description = "What the functions are to do, and under which key of the mirror's bucket they look for it."
  value       = { key = local.settings_key, body = var.mirror_settings }
}
