variable "name" {
  description = "Name of the schedule and of its group."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z._-]{1,64}$", var.name))
    error_message = "name \"${var.name}\" is not 1 to 64 of letters, digits, ., _ and -. It follows from project.name in config/airbrew.yaml."
  }
}

variable "expression" {
  description = "When a sync starts: cron(…), rate(…) or at(…)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(cron|rate|at)\\(.+\\)$", var.expression))
    error_message = "expression \"${var.expression}\" is none of cron(…), rate(…), at(…). Set schedule.expression in config/airbrew.yaml."
  }
}

variable "timezone" {
  description = "The time zone that the expression is read in, as the IANA names it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9]+([/_+-][A-Za-z0-9]+)*$", var.timezone))
    error_message = "timezone \"${var.timezone}\" is not the name of a time zone, such as UTC or Europe/Berlin. Set schedule.timezone in config/airbrew.yaml."
  }
}

variable "enabled" {
  description = "Whether the schedule starts syncs; when not, it stays there, and does nothing."
  type        = bool
  nullable    = false
}

variable "state_machine_arn" {
  description = "The state machine that is started."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:states:[a-z0-9-]+:[0-9]{12}:stateMachine:", var.state_machine_arn))
    error_message = "state_machine_arn \"${var.state_machine_arn}\" is not the ARN of a state machine."
  }
}

variable "soak_function_arn" {
  description = "The function that lets snapshots go on to the next channel, asked every quarter of an hour; empty where there are not two channels."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:function:.+)?$", var.soak_function_arn))
    error_message = "soak_function_arn \"${var.soak_function_arn}\" is not the ARN of a function."
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
