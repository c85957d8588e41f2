mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_lambda_layer_version" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:layer:airbrew-dev-mirror:1" }
  }
}

variables {
  name_prefix     = "airbrew-dev"
  mirror_bucket   = { name = "mirror", arn = "arn:aws:s3:::mirror" }
  mirror_settings = "{\"selection\":{\"platforms\":[\"arm64_tahoe\"]}}"
  artifacts = {
    bucket       = "state"
    orchestrator = { key = "artifacts/orchestrator/1.zip", digest = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=" }
    sync_worker  = { key = "artifacts/sync_worker/2.zip", digest = "YDA64iuZiGG847KPM+7BvnWKITyGyTwHbb6fVYwRx1I=" }
    layer        = { key = "artifacts/layer/3.zip", digest = "/WGgORsVm5jmI6Wb2MqbYeMzs/bcn0fbfQbWP4Y1mX0=" }
  }
  platform           = { runtime = "python3.13", architecture = "arm64" }
  orchestrator       = { memory_mib = 1024, timeout_seconds = 900 }
  sync_worker        = { memory_mib = 512, timeout_seconds = 600 }
  log_retention_days = 7
  state_machine_arn  = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
}

run "each_function_has_its_name_code_size_layer_and_alias" {
  assert {
    condition = {
      for key, function in aws_lambda_function.function : key => [
        function.function_name, function.handler, function.s3_key, function.memory_size, function.timeout
      ]
      } == {
      collector    = ["airbrew-dev-collector", "orchestrator.collector.handle", "artifacts/orchestrator/1.zip", 1024, 900]
      orchestrator = ["airbrew-dev-orchestrator", "orchestrator.handler.handle", "artifacts/orchestrator/1.zip", 1024, 900]
      sync_worker  = ["airbrew-dev-sync-worker", "sync_worker.handler.handle", "artifacts/sync_worker/2.zip", 512, 600]
    }
    error_message = "A function is not what docs/reference promises."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.publish])
    error_message = "Without a published version there is nothing that an alias could go back to."
  }

  assert {
    condition = alltrue([
      for key, alias in aws_lambda_alias.live :
      alias.name == "live" && alias.function_version == aws_lambda_function.function[key].version
    ])
    error_message = "The alias `live` is to begin at the first version that is published."
  }

  assert {
    condition = output.versions == {
      for function in aws_lambda_function.function : function.function_name => function.version
    }
    error_message = "The delivery is not told which versions were published."
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.function :
      function.layers == tolist([aws_lambda_layer_version.mirror.arn]) && function.architectures == tolist(["arm64"])
    ])
    error_message = "A function runs without the layer, or on another processor than the layer is for."
  }

  assert {
    condition     = aws_lambda_layer_version.mirror.compatible_architectures == toset(["arm64"])
    error_message = "The layer is declared for another processor."
  }
}

run "the_functions_find_their_settings_in_the_bucket_and_their_logs_have_an_end" {
  command = plan

  assert {
    condition = (
      output.settings.key == "settings/${sha256(var.mirror_settings)}.json" && output.settings.body == var.mirror_settings
    )
    error_message = "The settings are not those that were given, under their own digest."
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.function : function.environment[0].variables == tomap({
        AIRBREW_BUCKET       = "mirror"
        AIRBREW_SETTINGS_KEY = output.settings.key
      })
    ])
    error_message = "The functions' variables are not those of docs/reference/bucket-layout.md."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.function : group.retention_in_days == 7])
    error_message = "A log group is kept for ever."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_role_policy.function : !strcontains(policy.policy, "logs:CreateLogGroup")])
    error_message = "A group that Lambda makes by itself has no retention."
  }
}

run "the_orchestrator_may_do_this_and_nothing_else" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.function["orchestrator"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      ListTheMirror = ["s3:ListBucket", "arn:aws:s3:::mirror"]
      ReadTheMirror = ["s3:GetObject", "arn:aws:s3:::mirror/*"]
      PlanAndPublish = ["s3:PutObject", [
        "arn:aws:s3:::mirror/api/*",
        "arn:aws:s3:::mirror/channels/*",
        "arn:aws:s3:::mirror/index.html",
        "arn:aws:s3:::mirror/reports/verify/*",
        "arn:aws:s3:::mirror/snapshots/*",
        "arn:aws:s3:::mirror/status/*",
        "arn:aws:s3:::mirror/syncs/*",
        "arn:aws:s3:::mirror/v2/*/manifests/*",
      ]]
      SeeWhoHoldsTheLease = [
        "states:DescribeExecution", "arn:aws:states:us-east-1:123456789012:execution:airbrew-dev-sync:*"
      ]
      WriteItsLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/airbrew-dev-orchestrator:*"
      ]
    }
    error_message = "The orchestrator's policy is ${aws_iam_role_policy.function["orchestrator"].policy}."
  }
}

run "only_the_collector_may_delete_and_it_can_write_nothing_that_clients_read" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.function["collector"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      ListTheMirror = ["s3:ListBucket", "arn:aws:s3:::mirror"]
      ReadWhatIsKept = ["s3:GetObject", [
        "arn:aws:s3:::mirror/channels/*",
        "arn:aws:s3:::mirror/retention/*",
        "arn:aws:s3:::mirror/settings/*",
        "arn:aws:s3:::mirror/snapshots/*",
        "arn:aws:s3:::mirror/syncs/lease.json",
      ]]
      RememberAndReport = ["s3:PutObject", [
        "arn:aws:s3:::mirror/reports/gc/*",
        "arn:aws:s3:::mirror/retention/*",
        "arn:aws:s3:::mirror/syncs/lease.json",
      ]]
      DeleteWhatNobodyNames = ["s3:DeleteObject", [
        "arn:aws:s3:::mirror/api/*",
        "arn:aws:s3:::mirror/channels/*/api/*",
        "arn:aws:s3:::mirror/snapshots/*",
        "arn:aws:s3:::mirror/syncs/*/*",
        "arn:aws:s3:::mirror/v2/*/blobs/*",
        "arn:aws:s3:::mirror/v2/*/manifests/*",
      ]]
      SeeWhoHoldsTheLease = [
        "states:DescribeExecution", "arn:aws:states:us-east-1:123456789012:execution:airbrew-dev-sync:*"
      ]
      WriteItsLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/airbrew-dev-collector:*"
      ]
    }
    error_message = "The collector's policy is ${aws_iam_role_policy.function["collector"].policy}."
  }

  assert {
    condition = alltrue([
      for key, policy in aws_iam_role_policy.function : key == "collector" || !strcontains(policy.policy, "s3:Delete")
    ])
    error_message = "Another function than the collector may delete."
  }
}

run "the_sync_worker_may_do_this_and_nothing_else" {
  command = plan
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.function["sync_worker"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      ListTheMirror = ["s3:ListBucket", "arn:aws:s3:::mirror"]
      ReadWhatToCopy = ["s3:GetObject", [
        "arn:aws:s3:::mirror/settings/*",
        "arn:aws:s3:::mirror/syncs/*",
        "arn:aws:s3:::mirror/v2/*",
      ]]
      CopyBottles           = [["s3:PutObject", "s3:AbortMultipartUpload"], "arn:aws:s3:::mirror/v2/*/blobs/*"]
      ReportAndHoldTheLease = ["s3:PutObject", ["arn:aws:s3:::mirror/syncs/*/results/*", "arn:aws:s3:::mirror/syncs/lease.json"]]
      ReadWhatToVerify      = ["s3:GetObject", ["arn:aws:s3:::mirror/reports/verify/*", "arn:aws:s3:::mirror/snapshots/*"]]
      ReportWhatWasVerified = ["s3:PutObject", "arn:aws:s3:::mirror/reports/verify/*"]
      WriteItsLog           = [["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/airbrew-dev-sync-worker:*"]
    }
    error_message = "The sync worker's policy is ${aws_iam_role_policy.function["sync_worker"].policy}."
  }
}

run "a_task_may_carry_batches_but_verify_nothing" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(output.sync_worker.permissions) : statement.Sid
    ] == ["ListTheMirror", "ReadWhatToCopy", "CopyBottles", "ReportAndHoldTheLease"]
    error_message = "A task is given ${output.sync_worker.permissions}."
  }
}

run "a_digest_in_hex_and_sizes_that_lambda_refuses_are_refused_here" {
  command = plan

  variables {
    artifacts = {
      bucket       = "state"
      orchestrator = { key = "artifacts/orchestrator/1.zip", digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
      sync_worker  = { key = "artifacts/sync_worker/2.zip", digest = "YDA64iuZiGG847KPM+7BvnWKITyGyTwHbb6fVYwRx1I=" }
      layer        = { key = "artifacts/layer/3.zip", digest = "/WGgORsVm5jmI6Wb2MqbYeMzs/bcn0fbfQbWP4Y1mX0=" }
    }
    orchestrator = { memory_mib = 64, timeout_seconds = 900 }
    sync_worker  = { memory_mib = 512, timeout_seconds = 901 }
  }

  expect_failures = [var.artifacts, var.orchestrator, var.sync_worker]
}

run "names_and_settings_that_aws_or_the_functions_refuse_are_refused_here" {
  command = plan

  variables {
    name_prefix              = "Airbrew"
    platform                 = { runtime = "node22", architecture = "riscv64" }
    state_machine_arn        = "airbrew-dev-sync"
    log_retention_days       = 8
    mirror_settings          = "selection: all"
    permissions_boundary_arn = "airbrew-dev-boundary"
  }

  expect_failures = [
    var.name_prefix,
    var.platform,
    var.state_machine_arn,
    var.log_retention_days,
    var.mirror_settings,
    var.permissions_boundary_arn,
  ]
}

run "a_boundary_is_put_around_every_role" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/airbrew-dev-boundary"
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.function : role.permissions_boundary == var.permissions_boundary_arn])
    error_message = "A role is made without the boundary: whoever may write its policy may give it anything."
  }
}
