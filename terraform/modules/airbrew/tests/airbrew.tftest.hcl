mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::airbrew-dev-mirror" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_lambda_layer_version" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:layer:airbrew-dev-mirror:1" }
  }

  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:function:live" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:group" }
  }

  mock_resource "aws_scheduler_schedule_group" {
    defaults = { arn = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/group" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:airbrew-dev-security" }
  }

  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b"] }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/airbrew-dev-sync" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/airbrew-dev-sync:1" }
  }

  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync" }
  }
}

mock_provider "aws" {
  alias = "global"
}

variables {
  # The example of docs/reference/terraform-variables.md.
  settings = {
    project     = "airbrew"
    environment = "dev"
    region      = "us-east-1"
    account_id  = "123456789012"
    mirror      = { bucket_name = "airbrew-dev-mirror", keep_replaced_days = 7, public_url = "" }
    upstream = {
      api_url         = "https://formulae.brew.sh/api"
      registry_url    = "https://ghcr.io"
      signing_key_pem = "-----BEGIN PUBLIC KEY-----\nMIIC\n-----END PUBLIC KEY-----\n"
    }
    selection = { platforms = ["arm64_tahoe"], formulae = ["jq", "python@3.13"], include_dependencies = true, exclude = [], include_deprecated = false, include_disabled = false, max_bottle_mib = 0, portable_ruby = true, portable_ruby_versions = [], casks = ["firefox"], exclude_casks = [], taps = [{ repository = "acme/tools", formula = "deploy", version = "1.4.0", rebuild = 0, digests = { arm64_tahoe = "0a" }, dependencies = ["jq"], linux_dependencies = [] }] }
    publish   = { policy = "complete", channels = ["canary", "stable"], soak_hours = 24, default_channel = "stable" }
    retention = { keep_snapshots = 3, keep_days = 7, grace_days = 1 }
    schedule  = { expression = "cron(0 3 ? * SUN *)", timezone = "UTC", enabled = false }
    workflow  = { max_concurrency = 2, batch_max_bottles = 20, batch_max_mib = 64, fargate_threshold_gib = 0 }
    task      = { cpu_units = 1024, memory_mib = 2048, transfers = 8, spot = true }
    network   = { subnet_ids = [], security_group_ids = [] }
    functions = {
      architecture = "arm64"
      runtime      = "python3.13"
      orchestrator = { memory_mib = 1024, timeout_seconds = 900 }
      sync_worker  = { memory_mib = 512, timeout_seconds = 900, transfers = 4 }
    }
    logs     = { retention_days = 7 }
    security = { monitoring = true, data_events = false, addresses = ["ops@example.com"], subjects = ["repo:acme/mirror:"] }
    roles    = { permissions_boundary_arn = "arn:aws:iam::123456789012:policy/airbrew-dev-boundary" }
    artifacts = {
      bucket       = "airbrew-dev-state"
      orchestrator = { key = "artifacts/orchestrator/1.zip", digest = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=" }
      sync_worker  = { key = "artifacts/sync_worker/2.zip", digest = "YDA64iuZiGG847KPM+7BvnWKITyGyTwHbb6fVYwRx1I=" }
      layer        = { key = "artifacts/layer/3.zip", digest = "/WGgORsVm5jmI6Wb2MqbYeMzs/bcn0fbfQbWP4Y1mX0=" }
      image        = ""
    }
  }
}

run "the_delivery_is_told_what_there_is" {
  assert {
    condition = { for name, value in output.airbrew : name => value if !contains(["settings", "versions"], name) } == {
      mirror_bucket         = "airbrew-dev-mirror"
      state_machine_arn     = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
      orchestrator_function = "airbrew-dev-orchestrator"
      collector_function    = "airbrew-dev-collector"
      sync_worker_function  = "airbrew-dev-sync-worker"
      schedule_name         = "airbrew-dev-sync"
    }
    error_message = "The output is ${jsonencode(output.airbrew)}."
  }

  assert {
    condition = (
      output.airbrew.settings == { key = "settings/${sha256(local.mirror_settings)}.json", body = local.mirror_settings }
      && toset(keys(output.airbrew.versions)) == toset(["airbrew-dev-orchestrator", "airbrew-dev-collector", "airbrew-dev-sync-worker"])
    )
    error_message = "The delivery is not told which versions were published, or which settings they read."
  }
}

run "the_functions_are_told_what_the_bucket_layout_promises" {
  command = plan
  assert {
    condition = jsondecode(local.mirror_settings) == {
      project     = "airbrew"
      environment = "dev"
      mirror      = { public_url = "" }
      upstream = {
        api_url         = "https://formulae.brew.sh/api"
        registry_url    = "https://ghcr.io"
        signing_key_pem = "-----BEGIN PUBLIC KEY-----\nMIIC\n-----END PUBLIC KEY-----\n"
      }
      selection   = { platforms = ["arm64_tahoe"], formulae = ["jq", "python@3.13"], include_dependencies = true, exclude = [], include_deprecated = false, include_disabled = false, max_bottle_mib = 0, portable_ruby = true, portable_ruby_versions = [], casks = ["firefox"], exclude_casks = [], taps = [{ repository = "acme/tools", formula = "deploy", version = "1.4.0", rebuild = 0, digests = { arm64_tahoe = "0a" }, dependencies = ["jq"], linux_dependencies = [] }] }
      publish     = { policy = "complete", channels = ["canary", "stable"], soak_hours = 24, default_channel = "stable" }
      retention   = { keep_snapshots = 3, keep_days = 7, grace_days = 1 }
      workflow    = { batch_max_bottles = 20, batch_max_mib = 64 }
      sync_worker = { transfers = 4 }
      task        = { transfers = 8 }
    }
    error_message = "The settings of the mirror are ${local.mirror_settings}."
  }
}

run "without_a_threshold_there_is_no_task_and_no_network" {
  command = plan

  assert {
    condition     = length(module.task) == 0 && length(module.network) == 0
    error_message = "Something is made that nothing would use."
  }
}

run "above_a_threshold_a_task_in_a_network_of_its_own_carries_the_sync" {
  variables {
    settings = merge(var.settings, { workflow = { max_concurrency = 2, batch_max_bottles = 20, batch_max_mib = 64, fargate_threshold_gib = 0.5 } })
  }

  assert {
    condition     = module.task[0].task.assign_public_ip && length(module.task[0].task.subnet_ids) == 2
    error_message = "The task is ${jsonencode(module.task[0].task)}."
  }
}

run "a_network_of_the_organisation_is_used_as_it_is" {
  variables {
    settings = merge(var.settings, {
      workflow = { max_concurrency = 2, batch_max_bottles = 20, batch_max_mib = 64, fargate_threshold_gib = 100 }
      network  = { subnet_ids = ["subnet-01234567"], security_group_ids = ["sg-01234567"] }
    })
  }

  assert {
    condition = (
      length(module.network) == 0 && module.task[0].task.subnet_ids == tolist(["subnet-01234567"])
      && !module.task[0].task.assign_public_ip
    )
    error_message = "The task is ${jsonencode(module.task[0].task)}."
  }
}

run "a_threshold_below_never_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { workflow = { max_concurrency = 2, batch_max_bottles = 20, batch_max_mib = 64, fargate_threshold_gib = -1 } })
  }

  expect_failures = [var.settings]
}

run "a_project_that_no_bucket_could_be_named_after_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { project = "Air Brew" })
  }

  expect_failures = [var.settings]
}

run "an_environment_that_there_is_not_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { environment = "prd" })
  }

  expect_failures = [var.settings]
}

run "an_account_that_lost_its_leading_zero_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { account_id = "12345678901" })
  }

  expect_failures = [var.settings]
}

run "a_publish_policy_that_there_is_not_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { publish = { policy = "partial" } })
  }

  expect_failures = [var.settings]
}

run "a_default_channel_that_there_is_not_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { publish = { policy = "complete", channels = ["canary"], default_channel = "stable" } })
  }

  expect_failures = [var.settings]
}

run "a_retention_that_keeps_no_snapshot_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { retention = { keep_snapshots = 0 } })
  }

  expect_failures = [var.settings]
}

run "a_selection_of_nothing_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { selection = { platforms = [], formulae = ["jq"], include_dependencies = true, exclude = [], include_deprecated = false, include_disabled = false, max_bottle_mib = 0, portable_ruby = true, portable_ruby_versions = [], casks = ["firefox"], exclude_casks = [], taps = [{ repository = "acme/tools", formula = "deploy", version = "1.4.0", rebuild = 0, digests = { arm64_tahoe = "0a" }, dependencies = ["jq"], linux_dependencies = [] }] } })
  }

  expect_failures = [var.settings]
}

run "batches_of_no_bottles_are_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { workflow = { max_concurrency = 2, batch_max_bottles = 0, batch_max_mib = 64, fargate_threshold_gib = 0 } })
  }

  expect_failures = [var.settings]
}

run "an_upstream_without_a_key_to_check_it_by_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { upstream = { api_url = "https://formulae.brew.sh/api", registry_url = "https://ghcr.io", signing_key_pem = "" } })
  }

  expect_failures = [var.settings]
}

run "an_address_that_would_give_double_slashes_is_refused" {
  command = plan

  variables {
    settings = merge(var.settings, { upstream = { api_url = "https://formulae.brew.sh/api/", registry_url = "https://ghcr.io", signing_key_pem = "-----BEGIN PUBLIC KEY-----" } })
  }

  expect_failures = [var.settings]
}
