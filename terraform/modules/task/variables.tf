variable "name" {
  description = "Name of the cluster and of the task definition's family; begins the roles' names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,50}$", var.name))
    error_message = "name \"${var.name}\" is not 2 to 51 of a-z, 0-9 and -, beginning with a letter. It follows from project.name in config/airbrew.yaml."
  }
}

variable "image" {
  description = "The image of docker/sync-worker by its digest; \"none\" where the code is run from the checkout, as in the sandbox."
  type        = string
  nullable    = false

  validation {
    condition     = var.image == "none" || can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image \"${var.image}\" does not end with its digest (@sha256:…): a tag can be given to another image. Set task.image in config/airbrew.yaml."
  }
}

variable "architecture" {
  description = "The processor that the image was built for: arm64 or x86_64."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture \"${var.architecture}\" is neither arm64 nor x86_64. Set functions.architecture in config/airbrew.yaml."
  }
}

variable "sizes" {
  description = "CPU units (1024 for one core), memory in MiB, and whether to run on spare capacity."
  type        = object({ cpu_units = number, memory_mib = number, spot = bool })
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.sizes.cpu_units)
    error_message = "sizes.cpu_units ${var.sizes.cpu_units} is none that Fargate has. Set task.cpu_units in config/airbrew.yaml."
  }
}

variable "environment" {
  description = "Environment variables of the worker, as modules/functions puts them out."
  type        = map(string)
  nullable    = false
}

variable "worker_permissions" {
  description = "IAM statements of the sync worker as a JSON list, as modules/functions puts them out."
  type        = string
  nullable    = false

  validation {
    condition     = try(length(jsondecode(var.worker_permissions)) > 0, false)
    error_message = "worker_permissions is not a JSON list of IAM statements."
  }
}

variable "network" {
  description = "Where the task is placed; it needs a public address where the subnets have no NAT."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string), assign_public_ip = bool })
  nullable    = false

  validation {
    condition     = length(var.network.subnet_ids) > 0 && length(var.network.security_group_ids) > 0
    error_message = "network has ${length(var.network.subnet_ids)} subnets and ${length(var.network.security_group_ids)} security groups; a task needs one of each. Set both in network in config/airbrew.yaml, or neither."
  }
}

variable "state_machine_arn" {
  description = "ARN that the state machine has or will have: the task answers it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]+$", var.state_machine_arn))
    error_message = "state_machine_arn \"${var.state_machine_arn}\" is not the ARN of a state machine."
  }
}

variable "log_retention_days" {
  description = "Days that the task's log is kept."
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
