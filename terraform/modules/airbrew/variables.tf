variable "settings" {
  description = "What `inv config.render` makes of config/airbrew.yaml; docs/reference/terraform-variables.md explains it."
  nullable    = false

  type = object({
    project     = string
    environment = string
    region      = string
    account_id  = string
    mirror      = object({ bucket_name = string, keep_replaced_days = number, public_url = string })
    upstream    = object({ api_url = string, registry_url = string, signing_key_pem = string })
    selection = object({
      platforms            = list(string)
      formulae             = list(string)
      exclude              = list(string)
      include_dependencies = bool
      include_deprecated   = bool
      include_disabled     = bool
      max_bottle_mib       = number
      portable_ruby        = bool

      portable_ruby_versions = list(string)
      casks                  = optional(list(string), [])
      exclude_casks          = optional(list(string), [])

      taps = optional(list(object({
        repository         = string
        formula            = string
        version            = string
        rebuild            = number
        digests            = map(string)
        dependencies       = list(string)
        linux_dependencies = list(string)
      })), [])
    })
    publish = object({
      policy          = string
      channels        = optional(list(string), [])
      soak_hours      = optional(number, 48)
      default_channel = optional(string)
    })
    retention = optional(object({
      keep_snapshots = optional(number, 10)
      keep_days      = optional(number, 90)
      grace_days     = optional(number, 14)
    }), {})
    schedule = object({ expression = string, timezone = string, enabled = bool })
    workflow = object({
      max_concurrency       = number
      batch_max_bottles     = number
      batch_max_mib         = number
      fargate_threshold_gib = number
    })
    task    = object({ cpu_units = number, memory_mib = number, transfers = number, spot = bool })
    network = object({ subnet_ids = list(string), security_group_ids = list(string) })
    functions = object({
      architecture = string
      runtime      = string
      orchestrator = object({ memory_mib = number, timeout_seconds = number })
      sync_worker  = object({ memory_mib = number, timeout_seconds = number, transfers = number })
    })
    logs  = object({ retention_days = number })
    roles = optional(object({ permissions_boundary_arn = optional(string, "") }), {})
    security = optional(object({
      monitoring  = optional(bool, true)
      data_events = optional(bool, false)
      addresses   = optional(list(string), [])
      subjects    = optional(list(string), [])
    }), {})
    artifacts = object({
      bucket       = string
      orchestrator = object({ key = string, digest = string })
      sync_worker  = object({ key = string, digest = string })
      layer        = object({ key = string, digest = string })
      image        = string
    })
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.settings.project))
    error_message = "project \"${var.settings.project}\" is not 2 to 20 of a-z, 0-9 and -, beginning with a letter. Set project.name in config/airbrew.yaml."
  }

  validation {
    condition     = contains(["dev", "staging", "prod"], var.settings.environment)
    error_message = "environment \"${var.settings.environment}\" is none of dev, staging, prod."
  }

  validation {
    condition     = can(regex("^[0-9]{12}$", var.settings.account_id))
    error_message = "account_id \"${var.settings.account_id}\" is not 12 digits. Put it in quotes in config/airbrew.yaml."
  }

  validation {
    condition = alltrue([
      for url in [var.settings.upstream.api_url, var.settings.upstream.registry_url] :
      can(regex("^https?://[^/]+(/.*[^/])?$", url))
    ])
    error_message = "upstream holds \"${var.settings.upstream.api_url}\" and \"${var.settings.upstream.registry_url}\"; each is to be a URL without a slash at its end. Set upstream in config/airbrew.yaml."
  }

  validation {
    condition     = strcontains(var.settings.upstream.signing_key_pem, "-----BEGIN PUBLIC KEY-----")
    error_message = "upstream.signing_key_pem is not a public key in PEM: without it nothing could be verified."
  }

  validation {
    condition     = length(var.settings.selection.platforms) > 0 && length(var.settings.selection.formulae) > 0
    error_message = "selection names ${length(var.settings.selection.platforms)} platforms and ${length(var.settings.selection.formulae)} formulae; a mirror needs one of each. Set selection in config/airbrew.yaml."
  }

  validation {
    condition     = var.settings.publish.policy == "complete"
    error_message = "publish.policy \"${var.settings.publish.policy}\" is not complete, the only one there is."
  }

  validation {
    condition = (
      length(distinct(var.settings.publish.channels)) == length(var.settings.publish.channels)
      && alltrue([for name in var.settings.publish.channels : can(regex("^[a-z][a-z0-9-]{0,30}$", name)) && name != "default"])
      && (var.settings.publish.default_channel == null ? true : contains(var.settings.publish.channels, var.settings.publish.default_channel))
    )
    error_message = "publish.channels are to be different names of a-z, 0-9 and -, none of them \"default\", and publish.default_channel one of them. Set publish in config/airbrew.yaml."
  }

  validation {
    condition     = var.settings.retention.keep_snapshots >= 1 && var.settings.retention.keep_days >= 0 && var.settings.retention.grace_days >= 0
    error_message = "retention keeps ${var.settings.retention.keep_snapshots} snapshots, ${var.settings.retention.keep_days} days, ${var.settings.retention.grace_days} days of grace; at least one snapshot is kept, and days are not negative. Set retention in config/airbrew.yaml."
  }

  validation {
    condition     = var.settings.workflow.batch_max_bottles >= 1 && var.settings.workflow.batch_max_mib >= 1
    error_message = "workflow has batches of ${var.settings.workflow.batch_max_bottles} bottles and ${var.settings.workflow.batch_max_mib} MiB; both begin at 1. Set workflow in config/airbrew.yaml."
  }

  validation {
    condition     = var.settings.workflow.fargate_threshold_gib >= 0
    error_message = "workflow.fargate_threshold_gib ${var.settings.workflow.fargate_threshold_gib} is less than 0, which is never. Set it in config/airbrew.yaml."
  }

  validation {
    condition     = var.settings.functions.sync_worker.transfers >= 1 && var.settings.functions.sync_worker.transfers <= 32
    error_message = "functions.sync_worker.transfers ${var.settings.functions.sync_worker.transfers} is not 1 to 32. Set it in config/airbrew.yaml."
  }
}
