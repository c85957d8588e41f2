# Who may come in. What each may do then is in deploy.tf and plan.tf, what nobody may in limits.tf.
locals {
  issuer       = "token.actions.githubusercontent.com"
  provider_arn = "arn:aws:iam::${var.account.id}:oidc-provider/${local.issuer}"

  # Repositories made or renamed since 2026-07-15 send the second form, those before it the first, until they change over.
  # Source: GitHub changelog of 2026-04-23, "Immutable subject claims"; aws-actions/configure-aws-credentials#1888.
  owner = split("/", var.repository.name)[0]
  name  = split("/", var.repository.name)[1]
  subjects = concat(
    ["repo:${var.repository.name}"],
    var.repository.id == "" ? [] : ["repo:${local.owner}@${var.repository.owner_id}/${local.name}@${var.repository.id}"],
  )

  deploy_refs = concat(
    [for branch in var.deploy_from.branches : "refs/heads/${branch}"],
    [for tag in var.deploy_from.tags : "refs/tags/${tag}"],
  )
  plan_refs = distinct(concat(
    local.deploy_refs,
    [for branch in var.plan_from.branches : "refs/heads/${branch}"],
    [for tag in var.plan_from.tags : "refs/tags/${tag}"],
  ))
  plan_contexts = concat(
    [for ref in local.plan_refs : "ref:${ref}"],
    var.plan_from.pull_requests ? ["pull_request"] : [],
  )

  # A name can be taken over by another owner, a number cannot: with it, the first form is safe, too.
  same_repository = var.repository.id == "" ? {} : { "${local.issuer}:repository_id" = var.repository.id }

  trusted = {
    deploy = {
      StringEquals = merge(local.same_repository, {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = [for subject in local.subjects : "${subject}:environment:${var.deploy_from.environment}"]
      })
      # The subject of a job in an environment says nothing of its branch.
      # Source: GitHub, "OpenID Connect reference", example subject claims.
      StringLike = { "${local.issuer}:ref" = local.deploy_refs }
    }
    plan = {
      StringEquals = merge(local.same_repository, { "${local.issuer}:aud" = "sts.amazonaws.com" })
      StringLike = {
        "${local.issuer}:sub" = flatten([
          for subject in local.subjects : [for context in local.plan_contexts : "${subject}:${context}"]
        ])
      }
    }
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.owns_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  # checkov:skip=CKV_AWS_393:it does not see through merge(); tests/integration/test_access.py tries the rendered policies
  for_each = local.trusted

  # Not under the environment's prefix: the deploy role may change what is named so.
  name                 = "github-${local.prefix}-${each.key}"
  description          = "What a workflow of ${var.repository.name} may do in ${local.prefix}: ${each.key}."
  max_session_duration = 3600
  permissions_boundary = aws_iam_policy.ceiling.arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FromThisRepositoryOnly"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.provider_arn }
      Condition = each.value
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}
