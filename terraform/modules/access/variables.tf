variable "environment" {
  description = "Project and environment: together they begin the name of everything that is the environment's."
  type        = object({ project = string, name = string })
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19} [a-z]{2,16}$", "${var.environment.project} ${var.environment.name}"))
    error_message = "environment \"${var.environment.project}\", \"${var.environment.name}\" is not a project of 2 to 20 of a-z, 0-9 and - and an environment of letters. Set project.name in config/airbrew.yaml."
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

variable "repository" {
  description = "The repository whose workflows are let in: owner/name, and the numbers of both, or empty."
  type        = object({ name = string, owner_id = string, id = string })
  nullable    = false

  # A star or a colon in here would let others in.
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository.name))
    error_message = "repository.name \"${var.repository.name}\" is not owner/name. Set github.repository in config/airbrew.yaml."
  }

  validation {
    condition     = can(regex("^([0-9]+ [0-9]+| )$", "${var.repository.owner_id} ${var.repository.id}"))
    error_message = "repository has the numbers \"${var.repository.owner_id}\" and \"${var.repository.id}\"; both are digits, or both are empty. Set github.owner_id and github.repository_id in config/airbrew.yaml."
  }
}

variable "deploy_from" {
  description = "The GitHub environment that a job must be in to deploy, and the branches and tags that it may run on."
  type        = object({ environment = string, branches = list(string), tags = list(string) })
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.deploy_from.environment))
    error_message = "deploy_from.environment \"${var.deploy_from.environment}\" is not a name of letters, digits, ., _ and -. Set github.environment in config/airbrew.yaml."
  }

  validation {
    condition = (
      length(var.deploy_from.branches) + length(var.deploy_from.tags) > 0
      && alltrue([for each in concat(var.deploy_from.branches, var.deploy_from.tags) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/*-]*$", each))])
    )
    error_message = "deploy_from names the branches [${join(", ", var.deploy_from.branches)}] and the tags [${join(", ", var.deploy_from.tags)}]; one at least is needed, and none may begin with a star. Set github.branches and github.tags in config/airbrew.yaml."
  }
}

variable "plan_from" {
  description = "Branches and tags whose workflows may look besides those that may deploy, and whether the repository's own pull requests may."
  type        = object({ branches = list(string), tags = list(string), pull_requests = bool })
  nullable    = false

  validation {
    condition     = alltrue([for each in concat(var.plan_from.branches, var.plan_from.tags) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/*-]*$", each))])
    error_message = "plan_from names the branches [${join(", ", var.plan_from.branches)}] and the tags [${join(", ", var.plan_from.tags)}]; none may begin with a star. Set github.plan_branches and github.plan_tags in config/airbrew.yaml."
  }
}

variable "buckets" {
  description = "Names of the environment's two buckets: the delivery's own, and the mirror's."
  type        = object({ state = string, mirror = string })
  nullable    = false

  validation {
    condition     = alltrue([for each in values(var.buckets) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", each))])
    error_message = "buckets \"${var.buckets.state}\" and \"${var.buckets.mirror}\" are not both names of buckets."
  }
}

variable "owns_provider" {
  description = "Whether GitHub's provider is made here; an account has one, which the first environment in it makes."
  type        = bool
  nullable    = false
}
