mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/policy" }
  }
}

variables {
  environment   = { project = "airbrew", name = "dev" }
  account       = { id = "123456789012", region = "eu-central-1" }
  repository    = { name = "acme/mirror", owner_id = "", id = "" }
  deploy_from   = { environment = "dev", branches = ["develop"], tags = ["v*"] }
  plan_from     = { branches = ["main", "develop"], tags = [], pull_requests = false }
  buckets       = { state = "airbrew-dev-state-123456789012", mirror = "acme-homebrew" }
  owns_provider = true
}

run "without_numbers_the_older_subject_alone_is_trusted" {
  assert {
    condition = jsondecode(aws_iam_role.github["deploy"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = ["repo:acme/mirror:environment:dev"]
      }
      StringLike = { "token.actions.githubusercontent.com:ref" = ["refs/heads/develop", "refs/tags/v*"] }
    }
    error_message = "The deploy role trusts ${aws_iam_role.github["deploy"].assume_role_policy}."
  }

  assert {
    condition = jsondecode(aws_iam_role.github["plan"].assume_role_policy).Statement[0].Condition.StringLike == {
      "token.actions.githubusercontent.com:sub" = [
        "repo:acme/mirror:ref:refs/heads/develop",
        "repo:acme/mirror:ref:refs/tags/v*",
        "repo:acme/mirror:ref:refs/heads/main",
      ]
    }
    error_message = "The plan role trusts ${aws_iam_role.github["plan"].assume_role_policy}."
  }
}

run "with_numbers_both_subjects_are_trusted_of_that_repository_only" {
  command = plan

  variables {
    repository = { name = "acme/mirror", owner_id = "12", id = "34" }
    plan_from  = { branches = [], tags = ["v*.*.*"], pull_requests = true }
  }

  assert {
    condition = jsondecode(aws_iam_role.github["deploy"].assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = [
        "repo:acme/mirror:environment:dev", "repo:acme@12/mirror@34:environment:dev",
      ]
      "token.actions.githubusercontent.com:repository_id" = "34"
    }
    error_message = "The deploy role trusts ${aws_iam_role.github["deploy"].assume_role_policy}."
  }

  assert {
    condition = contains(
      jsondecode(aws_iam_role.github["plan"].assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"],
      "repo:acme@12/mirror@34:pull_request",
    )
    error_message = "Pull requests of the repository were to be let in."
  }

  assert {
    condition = contains(
      jsondecode(aws_iam_role.github["plan"].assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"],
      "repo:acme@12/mirror@34:ref:refs/tags/v*.*.*",
    )
    error_message = "Tags were to be let in, to look."
  }
}

run "an_account_that_has_the_provider_gets_no_second_one" {
  command = plan

  variables {
    owns_provider = false
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "IAM refuses a second provider of the same URL."
  }

  assert {
    condition     = jsondecode(aws_iam_role.github["plan"].assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    error_message = "The roles trust another provider."
  }
}

run "both_roles_have_the_ceiling_and_make_only_bounded_ones" {
  assert {
    condition     = alltrue([for role in aws_iam_role.github : role.permissions_boundary == aws_iam_policy.ceiling.arn])
    error_message = "A role of GitHub is without its ceiling."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.deploy["roles"].policy).Statement :
      statement.Condition.StringEquals["iam:PermissionsBoundary"] == aws_iam_policy.boundary.arn
      if statement.Sid == "MakeBoundedRoles"
    ])
    error_message = "A role could be made without the boundary."
  }
}

run "the_ceiling_is_above_all_that_the_roles_are_given" {
  # What a role is given counts only where its boundary allows it, too.
  assert {
    condition = alltrue([
      for action in flatten([
        for policy in concat([aws_iam_policy.look.policy, aws_iam_role_policy.report.policy], [for each in aws_iam_role_policy.deploy : each.policy]) :
        [for statement in jsondecode(policy).Statement : statement.Action]
        ]) : anytrue([
        for allowed in jsondecode(aws_iam_policy.ceiling.policy).Statement[0].Action :
        action == allowed || endswith(allowed, "*") && startswith(action, trimsuffix(allowed, "*"))
      ])
    ])
    error_message = "A role is given what its ceiling takes away again."
  }
}

run "the_policies_fit_into_what_iam_takes" {
  # Source: IAM and STS quotas: managed policies 6,144 characters, all inline policies of a role 10,240.
  assert {
    condition     = alltrue([for each in [aws_iam_policy.boundary, aws_iam_policy.ceiling, aws_iam_policy.look] : length(each.policy) <= 6144])
    error_message = "A managed policy is too long for IAM."
  }

  assert {
    condition     = sum([for each in aws_iam_role_policy.deploy : length(each.policy)]) <= 10240
    error_message = "The inline policies of the deploy role are too long for IAM."
  }
}

run "what_would_let_others_in_is_refused_here" {
  command = plan

  variables {
    repository  = { name = "acme/*", owner_id = "12", id = "" }
    deploy_from = { environment = "*", branches = ["*"], tags = [] }
    plan_from   = { branches = [], tags = ["*"], pull_requests = false }
  }

  expect_failures = [var.repository, var.deploy_from, var.plan_from]
}

run "names_that_aws_refuses_are_refused_here" {
  command = plan

  variables {
    environment = { project = "Airbrew", name = "dev" }
    account     = { id = "12345", region = "here" }
    buckets     = { state = "State", mirror = "mirror" }
  }

  expect_failures = [var.environment, var.account, var.buckets]
}
