locals {
  prefix            = "${var.settings.project}-${var.settings.environment}"
  state_machine_arn = "arn:aws:states:${var.settings.region}:${var.settings.account_id}:stateMachine:${local.prefix}-sync"

  # settings/mirror.json, as docs/reference/bucket-layout.md has it.
  mirror_settings = jsonencode({
    project     = var.settings.project
    environment = var.settings.environment
    mirror      = { public_url = var.settings.mirror.public_url }
    upstream    = var.settings.upstream
    selection   = var.settings.selection
    publish     = var.settings.publish
    retention   = var.settings.retention
    workflow = {
      batch_max_bottles = var.settings.workflow.batch_max_bottles
      batch_max_mib     = var.settings.workflow.batch_max_mib
    }
    sync_worker = { transfers = var.settings.functions.sync_worker.transfers }
  })
}

# What is kept: the bucket that clients read, and all that it holds.
module "storage" {
  source = "../storage"

  bucket_name        = var.settings.mirror.bucket_name
  keep_replaced_days = var.settings.mirror.keep_replaced_days
}

# What works: plan and publish (orchestrator), copy (sync worker).
module "functions" {
  source = "../functions"

  name_prefix        = local.prefix
  mirror_bucket      = module.storage.bucket
  mirror_settings    = local.mirror_settings
  artifacts          = var.settings.artifacts
  runtime            = var.settings.functions.runtime
  architecture       = var.settings.functions.architecture
  orchestrator       = var.settings.functions.orchestrator
  sync_worker        = var.settings.functions.sync_worker
  log_retention_days = var.settings.logs.retention_days
  # By its name, not by its resource: the workflow needs the functions, too.
  state_machine_arn = local.state_machine_arn
}

# What conducts: plan, copy batch by batch, publish.
module "workflow" {
  source = "../workflow"

  state_machine_arn  = local.state_machine_arn
  mirror_bucket      = module.storage.bucket
  orchestrator_arn   = module.functions.orchestrator.live_arn
  sync_worker_arn    = module.functions.sync_worker.live_arn
  max_concurrency    = var.settings.workflow.max_concurrency
  log_retention_days = var.settings.logs.retention_days
}

# What starts it.
module "schedule" {
  source = "../schedule"

  name              = "${local.prefix}-sync"
  expression        = var.settings.schedule.expression
  timezone          = var.settings.schedule.timezone
  enabled           = var.settings.schedule.enabled
  state_machine_arn = module.workflow.state_machine.arn
}
