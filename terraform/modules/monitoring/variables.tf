variable "name_prefix" {
  description = "Begins the name of everything of the environment: <project>-<environment>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name_prefix))
    error_message = "name_prefix \"${var.name_prefix}\" is not 2 to 41 of a-z, 0-9 and -, beginning with a letter. It follows from project.name in config/airbrew.yaml."
  }
}

variable "account" {
  description = "The environment's account, and the region of all that is in it."
  type        = object({ id = string, region = string })
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account.id)) && can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.account.region))
    error_message = "account \"${var.account.id}\" in \"${var.account.region}\" is not 12 digits and a region."
  }
}

variable "buckets" {
  description = "Names of the environment's two buckets, whose policies and objects are watched."
  type        = object({ state = string, mirror = string })
  nullable    = false

  validation {
    condition     = alltrue([for each in values(var.buckets) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", each))])
    error_message = "buckets \"${var.buckets.state}\" and \"${var.buckets.mirror}\" are not both names of buckets."
  }
}

variable "data_events" {
  description = "Whether the trail also has who wrote and deleted objects of the mirror."
  type        = bool
  nullable    = false
}

variable "subjects" {
  description = "How the subjects of GitHub's tokens begin that are let in; none where no repository is."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for each in var.subjects : can(regex("^repo:[^*?]+:$", each))])
    error_message = "subjects holds one of [${join(", ", var.subjects)}] that is not repo:owner/name: with a colon at its end. They follow from github in config/airbrew.yaml."
  }
}

variable "addresses" {
  description = "E-mail addresses that are told; each confirms once."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for each in var.addresses : can(regex("^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$", each))])
    error_message = "addresses holds one of [${join(", ", var.addresses)}] that is no e-mail address. Set security.addresses in config/airbrew.yaml."
  }
}

variable "keep_days" {
  description = "Days that the trail's files are kept."
  type        = number
  nullable    = false

  validation {
    condition     = var.keep_days >= 1 && var.keep_days <= 3653
    error_message = "keep_days ${var.keep_days} is not 1 to 3653. Set logs.retention_days in config/airbrew.yaml."
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
