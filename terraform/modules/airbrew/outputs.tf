output "airbrew" {
  description = "What the delivery needs to know of an environment; docs/reference/terraform-variables.md explains it."
  value = {
    mirror_bucket         = module.storage.bucket.name
    state_machine_arn     = module.workflow.state_machine.arn
    orchestrator_function = module.functions.orchestrator.name
    collector_function    = module.functions.collector.name
    sync_worker_function  = module.functions.sync_worker.name
    schedule_name         = module.schedule.schedule.name
    versions              = module.functions.versions
    settings              = module.functions.settings
  }
}
