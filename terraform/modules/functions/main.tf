locals {
  # Named by its content, so that each version of a function goes on reading its own (docs/adr/0021).
  settings_key = "settings/${sha256(var.mirror_settings)}.json"

  functions = {
    orchestrator = {
      name            = "${var.name_prefix}-orchestrator"
      handler         = "orchestrator.handler.handle"
      artifact        = var.artifacts.orchestrator
      memory_mib      = var.orchestrator.memory_mib
      timeout_seconds = var.orchestrator.timeout_seconds
      permissions     = local.orchestrator_permissions
    }
    # The orchestrator's code and size under a role of its own: the one that may delete (docs/adr/0017).
    collector = {
      name            = "${var.name_prefix}-collector"
      handler         = "orchestrator.collector.handle"
      artifact        = var.artifacts.orchestrator
      memory_mib      = var.orchestrator.memory_mib
      timeout_seconds = var.orchestrator.timeout_seconds
      permissions     = local.collector_permissions
    }
    sync_worker = {
      name            = "${var.name_prefix}-sync-worker"
      handler         = "sync_worker.handler.handle"
      artifact        = var.artifacts.sync_worker
      memory_mib      = var.sync_worker.memory_mib
      timeout_seconds = var.sync_worker.timeout_seconds
      permissions     = local.sync_worker_permissions
    }
  }
}

# The delivery puts settings there, and nobody deletes them: a version that is gone back to reads them. What
# an earlier Airbrew kept in one place is left where its versions look for it.
removed {
  from = aws_s3_object.settings

  lifecycle {
    destroy = false
  }
}

resource "aws_lambda_layer_version" "mirror" {
  layer_name               = "${var.name_prefix}-mirror"
  description              = "The library of both functions, and what it needs beside the runtime's own."
  s3_bucket                = var.artifacts.bucket
  s3_key                   = var.artifacts.layer.key
  source_code_hash         = var.artifacts.layer.digest
  compatible_runtimes      = [var.platform.runtime]
  compatible_architectures = [var.platform.architecture]
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "function" {
  for_each = local.functions

  function_name    = each.value.name
  role             = aws_iam_role.function[each.key].arn
  handler          = each.value.handler
  runtime          = var.platform.runtime
  architectures    = [var.platform.architecture]
  s3_bucket        = var.artifacts.bucket
  s3_key           = each.value.artifact.key
  source_code_hash = each.value.artifact.digest
  layers           = [aws_lambda_layer_version.mirror.arn]
  memory_size      = each.value.memory_mib
  timeout          = each.value.timeout_seconds
  publish          = true

  environment {
    variables = {
      AIRBREW_BUCKET       = var.mirror_bucket.name
      AIRBREW_SETTINGS_KEY = local.settings_key
    }
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.function[each.key].name
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
  }

  # The first invocation already needs what its role may do.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_alias" "live" {
  for_each = local.functions

  name             = "live"
  description      = "The version in service; the workflow calls nothing else."
  function_name    = aws_lambda_function.function[each.key].function_name
  function_version = aws_lambda_function.function[each.key].version

  lifecycle {
    # The delivery moves it, once the new version has passed its smoke test, and says there under which lease.
    ignore_changes = [function_version, description]
  }
}
