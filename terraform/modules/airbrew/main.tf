locals {
  prefix            = "${var.settings.project}-${var.settings.environment}"
  state_machine_arn = "arn:aws:states:${var.settings.region}:${var.settings.account_id}:stateMachine:${local.prefix}-sync"

  # The one place that says whether there is a task, and with it a network.
  tasks    = var.settings.workflow.fargate_threshold_gib > 0 ? 1 : 0
  networks = length(var.settings.network.subnet_ids) == 0 ? local.tasks : 0

  # settings/<sha256>.json, as docs/reference/bucket-layout.md has it.
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
    task        = { transfers = var.settings.task.transfers }
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
  platform           = { runtime = var.settings.functions.runtime, architecture = var.settings.functions.architecture }
  orchestrator       = var.settings.functions.orchestrator
  sync_worker        = var.settings.functions.sync_worker
  log_retention_days = var.settings.logs.retention_days
  # By its name, not by its resource: the workflow needs the functions, too.
  state_machine_arn        = local.state_machine_arn
  permissions_boundary_arn = var.settings.roles.permissions_boundary_arn
}

# Where a large sync's task is placed, unless the organisation names subnets of its own.
module "network" {
  source = "../network"
  count  = local.networks

  name = "${local.prefix}-sync"
}

# What carries a large sync: the sync worker without Lambda's limits.
module "task" {
  source = "../task"
  count  = local.tasks

  name         = "${local.prefix}-sync"
  image        = var.settings.artifacts.image == "" ? "none" : var.settings.artifacts.image
  architecture = var.settings.functions.architecture
  sizes = {
    cpu_units  = var.settings.task.cpu_units
    memory_mib = var.settings.task.memory_mib
    spot       = var.settings.task.spot
  }
  environment              = module.functions.sync_worker.environment
  worker_permissions       = module.functions.sync_worker.permissions
  network                  = local.networks > 0 ? module.network[0].network : merge(var.settings.network, { assign_public_ip = false })
  state_machine_arn        = local.state_machine_arn
  log_retention_days       = var.settings.logs.retention_days
  permissions_boundary_arn = var.settings.roles.permissions_boundary_arn
}

# What conducts: plan, copy batch by batch, publish.
module "workflow" {
  source = "../workflow"

  state_machine_arn        = local.state_machine_arn
  mirror_bucket            = module.storage.bucket
  orchestrator_arn         = module.functions.orchestrator.live_arn
  sync_worker_arn          = module.functions.sync_worker.live_arn
  max_concurrency          = var.settings.workflow.max_concurrency
  tasks                    = module.task[*].task
  task_above_bytes         = var.settings.workflow.fargate_threshold_gib * 1024 * 1024 * 1024
  log_retention_days       = var.settings.logs.retention_days
  permissions_boundary_arn = var.settings.roles.permissions_boundary_arn
}

# What starts it.
module "schedule" {
  source = "../schedule"

  name                     = "${local.prefix}-sync"
  expression               = var.settings.schedule.expression
  timezone                 = var.settings.schedule.timezone
  enabled                  = var.settings.schedule.enabled
  state_machine_arn        = module.workflow.state_machine.arn
  soak_function_arn        = length(var.settings.publish.channels) > 1 ? module.functions.orchestrator.live_arn : ""
  permissions_boundary_arn = var.settings.roles.permissions_boundary_arn
}

# What records who did what, and tells people of what matters.
module "monitoring" {
  source = "../monitoring"
  count  = var.settings.security.monitoring ? 1 : 0

  name_prefix = local.prefix
  account     = { id = var.settings.account_id, region = var.settings.region }
  buckets     = { state = var.settings.artifacts.bucket, mirror = module.storage.bucket.name }
  data_events = var.settings.security.data_events
  subjects    = var.settings.security.subjects
  addresses   = var.settings.security.addresses
  keep_days   = max(var.settings.logs.retention_days, 30)

  permissions_boundary_arn = var.settings.roles.permissions_boundary_arn

  providers = { aws = aws, aws.global = aws.global }
}
