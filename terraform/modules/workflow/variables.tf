variable "state_machine_arn" {
  description = "ARN that the state machine is to have; its last part is the name, and its role speaks of itself by it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]{1,80}$", var.state_machine_arn))
    error_message = "state_machine_arn \"${var.state_machine_arn}\" is not the ARN of a state machine."
  }
}

variable "mirror_bucket" {
  description = "The bucket that holds the batches, as modules/storage puts it out."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "orchestrator_arn" {
  description = "ARN of the orchestrator's alias in service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:lambda:.+:function:.+:live$", var.orchestrator_arn))
    error_message = "orchestrator_arn \"${var.orchestrator_arn}\" is not the ARN of an alias \"live\"."
  }
}

variable "sync_worker_arn" {
  description = "ARN of the sync worker's alias in service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:lambda:.+:function:.+:live$", var.sync_worker_arn))
    error_message = "sync_worker_arn \"${var.sync_worker_arn}\" is not the ARN of an alias \"live\"."
  }
}

variable "max_concurrency" {
  description = "Batches that are carried at the same time."
  type        = number
  nullable    = false

  validation {
    condition     = var.max_concurrency >= 1 && var.max_concurrency <= 1000
    error_message = "max_concurrency ${var.max_concurrency} is not 1 to 1000; the account's Lambdas share 1000. Set workflow.max_concurrency in config/airbrew.yaml."
  }
}

variable "tasks" {
  description = "The task that carries large syncs, as modules/task puts it out: one or none."
  type = list(object({
    cluster_arn        = string
    definition_arn     = string
    container_name     = string
    role_arns          = list(string)
    capacity_provider  = string
    subnet_ids         = list(string)
    security_group_ids = list(string)
    assign_public_ip   = bool
  }))
  default  = []
  nullable = false

  validation {
    condition     = length(var.tasks) <= 1
    error_message = "tasks has ${length(var.tasks)} elements; a sync is carried by one task or by functions."
  }
}

variable "task_above_bytes" {
  description = "A sync of more bytes than this is carried by the task, if there is one."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.task_above_bytes >= 0
    error_message = "task_above_bytes ${var.task_above_bytes} is less than 0. Set workflow.fargate_threshold_gib in config/airbrew.yaml."
  }
}

variable "log_retention_days" {
  description = "Days that the workflow's log is kept."
  type        = number
  nullable    = false

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days
    )
    error_message = "log_retention_days ${var.log_retention_days} is not a number that CloudWatch takes. Set logs.retention_days in config/airbrew.yaml."
  }
}

variable "permissions_boundary_arn" {
  description = "The policy that bounds what the roles here can ever be given; empty where there is none (terraform/access makes it)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:aws:iam::[0-9]{12}:policy/.+)?$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn \"${var.permissions_boundary_arn}\" is not the ARN of a policy. `inv oidc.bootstrap` makes one."
  }
}
