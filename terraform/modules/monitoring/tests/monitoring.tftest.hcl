mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:airbrew-dev-security" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/airbrew-dev-notices" }
  }
}

mock_provider "aws" {
  alias = "global"
}

variables {
  name_prefix = "airbrew-dev"
  account     = { id = "123456789012", region = "us-east-1" }
  buckets     = { state = "airbrew-dev-state", mirror = "airbrew-dev-mirror" }
  data_events = false
  subjects    = ["repo:acme/mirror:", "repo:acme@12/mirror@34:"]
  addresses   = ["ops@example.com"]
  keep_days   = 90
}

run "the_trail_has_all_regions_signed_and_no_reader_of_bottles" {
  command = plan

  assert {
    condition = (
      aws_cloudtrail.trail.is_multi_region_trail
      && aws_cloudtrail.trail.include_global_service_events
      && aws_cloudtrail.trail.enable_log_file_validation
      && length(aws_cloudtrail.trail.event_selector) == 1
    )
    error_message = "The trail leaves something out, or has more than it should."
  }

  assert {
    condition = alltrue([
      for each in jsondecode(aws_s3_bucket_policy.trail.policy).Statement :
      each.Condition.StringEquals["aws:SourceArn"] == "arn:aws:cloudtrail:us-east-1:123456789012:trail/airbrew-dev-trail"
      if each.Effect == "Allow"
    ])
    error_message = "Another trail may write into the bucket."
  }
}

run "with_data_events_it_has_who_wrote_to_the_mirror" {
  command = plan

  variables {
    data_events = true
  }

  assert {
    condition = [for each in aws_cloudtrail.trail.event_selector : [each.read_write_type, one(each.data_resource).values] if !each.include_management_events] == [
      ["WriteOnly", tolist(["arn:aws:s3:::airbrew-dev-mirror/"])]
    ]
    error_message = "The trail has other data than what is written to the mirror."
  }
}

run "each_notice_has_a_target_and_says_what_to_do" {
  assert {
    condition     = keys(aws_cloudwatch_event_rule.notice) == keys(aws_cloudwatch_event_target.notice)
    error_message = "A rule tells nobody."
  }

  assert {
    condition = alltrue([
      for each in aws_cloudwatch_event_target.notice :
      strcontains(each.input_transformer[0].input_template, "\"next:  ") && each.arn == aws_sns_topic.security.arn
    ])
    error_message = "A notice does not say what to do."
  }

  assert {
    condition = alltrue([
      for each in aws_cloudwatch_event_rule.notice : jsondecode(each.event_pattern).account == ["123456789012"]
    ])
    error_message = "A rule hears of other accounts."
  }
}

run "only_the_repository_s_subjects_are_expected" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.notice["subject"].event_pattern).detail.userIdentity == {
      userName = [{ "anything-but" = { prefix = ["repo:acme/mirror:", "repo:acme@12/mirror@34:"] } }]
    }
    error_message = "The pattern is ${aws_cloudwatch_event_rule.notice["subject"].event_pattern}."
  }
}

run "where_no_repository_is_let_in_every_subject_is_unexpected" {
  command = plan

  variables {
    subjects = []
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.notice["subject"].event_pattern).detail.userIdentity.userName == [{ exists = true }]
    error_message = "The pattern is ${aws_cloudwatch_event_rule.notice["subject"].event_pattern}."
  }
}

run "in_us_east_1_nothing_is_handed_on" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_event_rule.global) + length(aws_iam_role.notices) == 0
    error_message = "A rule would match what it has handed on to itself."
  }
}

run "elsewhere_what_has_no_region_is_handed_on_by_the_same_patterns" {
  variables {
    account                  = { id = "123456789012", region = "eu-central-1" }
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/airbrew-dev-boundary"
  }

  assert {
    condition = alltrue([
      for name, each in aws_cloudwatch_event_rule.global :
      each.event_pattern == aws_cloudwatch_event_rule.notice[name].event_pattern && each.state == aws_cloudwatch_event_rule.notice[name].state
    ])
    error_message = "A rule there matches other than here."
  }

  assert {
    condition = alltrue([
      for each in aws_cloudwatch_event_target.global : each.arn == "arn:aws:events:eu-central-1:123456789012:event-bus/default"
    ])
    error_message = "A rule there hands on to somewhere else."
  }

  assert {
    condition     = aws_iam_role.notices[0].permissions_boundary == "arn:aws:iam::123456789012:policy/airbrew-dev-boundary"
    error_message = "The role is without its boundary, and the deploy role could not make it."
  }
}

run "what_aws_refuses_or_would_expect_everybody_is_refused_here" {
  command = plan

  variables {
    name_prefix = "Airbrew"
    account     = { id = "12345", region = "here" }
    buckets     = { state = "State", mirror = "mirror" }
    subjects    = ["repo:acme/*:"]
    addresses   = ["nobody"]
    keep_days   = 0

    permissions_boundary_arn = "boundary"
  }

  expect_failures = [var.name_prefix, var.account, var.buckets, var.subjects, var.addresses, var.keep_days, var.permissions_boundary_arn]
}

run "a_sync_that_ends_without_publishing_is_told_and_no_other" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.sync.event_pattern).detail == {
      status          = ["ABORTED", "FAILED", "TIMED_OUT"]
      stateMachineArn = ["arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"]
    }
    error_message = "The rule hears of other syncs, or of other ends."
  }

  assert {
    condition     = alltrue([for each in [aws_cloudwatch_metric_alarm.unstarted, aws_cloudwatch_metric_alarm.untold] : length(each.alarm_actions) == 1])
    error_message = "An alarm tells nobody."
  }
}
