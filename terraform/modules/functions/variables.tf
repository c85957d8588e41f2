variable "name_prefix" {
  description = "Begins the name of each function, role and log group: <project>-<environment>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name_prefix))
    error_message = "name_prefix \"${var.name_prefix}\" is not 2 to 41 of a-z, 0-9 and -, beginning with a letter. It follows from project.name in config/airbrew.yaml."
  }
}

variable "mirror_bucket" {
  description = "The bucket that the functions fill, as modules/storage puts it out."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "mirror_settings" {
  description = "settings/<sha256>.json, as docs/reference/bucket-layout.md has it: what the functions are to do."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.mirror_settings).selection)
    error_message = "mirror_settings is not a JSON object with a selection."
  }
}

variable "artifacts" {
  description = "Where the zips of a release lie: key in `bucket`, and digest as SHA-256 in base64."
  type = object({
    bucket       = string
    orchestrator = object({ key = string, digest = string })
    sync_worker  = object({ key = string, digest = string })
    layer        = object({ key = string, digest = string })
  })
  nullable = false

  validation {
    condition = alltrue([
      for each in [var.artifacts.orchestrator, var.artifacts.sync_worker, var.artifacts.layer] :
      can(regex("^[A-Za-z0-9+/]{43}=$", each.digest))
    ])
    error_message = "artifacts hold a digest that is not a SHA-256 in base64 (44 characters). `inv build` names them."
  }
}

variable "platform" {
  description = "What functions and layer are built for: runtime, for example python3.13, and arm64 or x86_64."
  type        = object({ runtime = string, architecture = string })
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]{2}$", var.platform.runtime))
    error_message = "runtime \"${var.platform.runtime}\" is not one of Lambda's Pythons. Set functions.python in config/airbrew.yaml."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.platform.architecture)
    error_message = "architecture \"${var.platform.architecture}\" is neither arm64 nor x86_64. Set functions.architecture in config/airbrew.yaml."
  }
}

variable "orchestrator" {
  description = "Memory (MiB) and timeout (seconds) of the function that plans and publishes."
  type        = object({ memory_mib = number, timeout_seconds = number })
  nullable    = false

  validation {
    condition = (
      var.orchestrator.memory_mib >= 128 && var.orchestrator.memory_mib <= 10240
      && var.orchestrator.timeout_seconds >= 1 && var.orchestrator.timeout_seconds <= 900
    )
    error_message = "orchestrator has ${var.orchestrator.memory_mib} MiB and ${var.orchestrator.timeout_seconds} s; Lambda takes 128 to 10240 MiB and 1 to 900 s. Set functions.orchestrator in config/airbrew.yaml."
  }
}

variable "sync_worker" {
  description = "Memory (MiB) and timeout (seconds) of the function that copies bottles."
  type        = object({ memory_mib = number, timeout_seconds = number })
  nullable    = false

  validation {
    condition = (
      var.sync_worker.memory_mib >= 128 && var.sync_worker.memory_mib <= 10240
      && var.sync_worker.timeout_seconds >= 1 && var.sync_worker.timeout_seconds <= 900
    )
    error_message = "sync_worker has ${var.sync_worker.memory_mib} MiB and ${var.sync_worker.timeout_seconds} s; Lambda takes 128 to 10240 MiB and 1 to 900 s. Set functions.sync_worker in config/airbrew.yaml."
  }
}

variable "log_retention_days" {
  description = "Days that the functions' logs are kept."
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

variable "state_machine_arn" {
  description = "ARN that the state machine has or will have: the orchestrator looks up its executions."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]+$", var.state_machine_arn))
    error_message = "state_machine_arn \"${var.state_machine_arn}\" is not the ARN of a state machine."
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
