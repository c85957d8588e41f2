# What people are told of. A pattern looks at what CloudTrail recorded; `means` and `next` are in the notice.
locals {
  ours = [{ prefix = "${var.name_prefix}-" }, { prefix = "github-${var.name_prefix}-" }]

  # As JSON, because both sides of a conditional are to have one type.
  other_subjects = (
    length(var.subjects) == 0
    ? jsonencode([{ exists = true }])
    : jsonencode([{ "anything-but" = { prefix = var.subjects } }])
  )

  notices = {
    denied = {
      means = "one of our roles was denied a call: it lacks a permission, or somebody tries what it may"
      next  = "look up the call in CloudTrail; if nobody changed that role's code, take its sessions back"
      # A secret that somebody may not read is the first that is tried.
      also_reads = true
      detail = {
        errorCode    = ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"]
        userIdentity = { sessionContext = { sessionIssuer = { userName = local.ours } } }
      }
    }
    root = {
      means      = "the account's root was used"
      next       = "ask who did; if nobody, change its password, take its keys away, and look up what it did"
      also_reads = true
      detail     = { userIdentity = { type = ["Root"], invokedBy = [{ exists = false }] } }
    }
    console = {
      means  = "somebody signed in to the console"
      next   = "nothing, if that was announced; else ask who it was, and end the session"
      types  = ["AWS Console Sign In via CloudTrail"]
      detail = { eventName = ["ConsoleLogin"] }
    }
    access = {
      means = "what lets workflows in, or bounds a role, was changed"
      next  = "if nobody ran `inv oidc.bootstrap`, run it: it puts back what is declared; then find out who"
      detail = {
        eventName = [
          "AddClientIDToOpenIDConnectProvider",
          "AttachRolePolicy",
          "CreatePolicyVersion",
          "DeleteOpenIDConnectProvider",
          "DeleteRolePermissionsBoundary",
          "DeleteRolePolicy",
          "DetachRolePolicy",
          "PutRolePermissionsBoundary",
          "PutRolePolicy",
          "SetDefaultPolicyVersion",
          "UpdateAssumeRolePolicy",
        ]
        # A call about a policy or the provider names no role.
        requestParameters = { "$or" = [
          { roleName = [{ prefix = "github-${var.name_prefix}-" }] },
          { policyArn = [for each in local.ours : { prefix = "arn:aws:iam::${var.account.id}:policy/${each.prefix}" }] },
          { openIDConnectProviderArn = ["arn:aws:iam::${var.account.id}:oidc-provider/token.actions.githubusercontent.com"] },
        ] }
      }
    }
    trust = {
      means = "who may assume a role was changed, or its boundary taken away"
      next  = "if no deploy was running, run `inv deploy --force`: it puts back what is declared; then find out who"
      detail = {
        eventName         = ["DeleteRolePermissionsBoundary", "UpdateAssumeRolePolicy"]
        requestParameters = { roleName = [{ prefix = "${var.name_prefix}-" }] }
      }
    }
    bucket = {
      means = "who may reach a bucket was changed"
      next  = "if no deploy was running, run `inv deploy --force`; for the state bucket see `inv security.report`; then find out who"
      detail = {
        eventName = [
          "DeleteBucket",
          "DeleteBucketPolicy",
          "DeleteBucketPublicAccessBlock",
          "PutBucketAcl",
          "PutBucketPolicy",
          "PutBucketPublicAccessBlock",
          "PutBucketVersioning",
        ]
        requestParameters = { bucketName = [var.buckets.mirror, var.buckets.state, local.bucket] }
      }
    }
    trail = {
      means = "what records was stopped or changed"
      next  = "start it again with `inv deploy --force`, and find out who stopped it: nothing after that is recorded"
      detail = {
        eventName         = ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"]
        requestParameters = { "$or" = [{ name = [local.trail_name, local.trail_arn] }, { trailName = [local.trail_name, local.trail_arn] }] }
      }
    }
    rules = {
      means = "what tells people was stopped"
      next  = "put it back with `inv deploy --force`, and find out who stopped it"
      detail = {
        eventName = ["DeleteRule", "DisableRule", "RemoveTargets", "SetTopicAttributes", "Unsubscribe"]
        requestParameters = { "$or" = [
          { name = [{ prefix = "${var.name_prefix}-" }] },
          { rule = [{ prefix = "${var.name_prefix}-" }] },
          { topicArn = [local.topic_arn] },
          { subscriptionArn = [{ prefix = "${local.topic_arn}:" }] },
        ] }
      }
    }
    subject = {
      means      = "somebody else than the repository that is let in assumed a role of GitHub's, or tried"
      next       = "`inv oidc.explain` with its claims says why it was refused; if it was not, run `inv oidc.bootstrap`"
      also_reads = true
      detail = {
        eventName         = ["AssumeRoleWithWebIdentity"]
        requestParameters = { roleArn = [{ prefix = "arn:aws:iam::${var.account.id}:role/github-${var.name_prefix}-" }] }
        userIdentity      = { userName = jsondecode(local.other_subjects) }
      }
    }
  }
}

locals {
  patterns = {
    for name, each in local.notices : name => jsonencode({
      "detail-type" = try(each.types, ["AWS API Call via CloudTrail"])
      account       = [var.account.id]
      detail        = each.detail
    })
  }

  # By itself a rule is not told of what only reads, and to assume a role counts as that.
  # Source: EventBridge, "Receiving read-only management events from AWS services".
  states = {
    for name, each in local.notices :
    name => try(each.also_reads, false) ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED"
  }
}

resource "aws_cloudwatch_event_rule" "notice" {
  for_each = local.notices

  name          = "${var.name_prefix}-${each.key}"
  description   = "Security: ${each.value.means}."
  state         = local.states[each.key]
  event_pattern = local.patterns[each.key]
}

resource "aws_cloudwatch_event_target" "notice" {
  for_each = local.notices

  rule      = aws_cloudwatch_event_rule.notice[each.key].name
  target_id = "people"
  arn       = aws_sns_topic.security.arn

  input_transformer {
    input_paths = {
      call  = "$.detail.eventName"
      error = "$.detail.errorCode"
      id    = "$.detail.eventID"
      when  = "$.detail.eventTime"
      where = "$.detail.sourceIPAddress"
      who   = "$.detail.userIdentity.arn"
    }
    # EventBridge wants each line in quotes, and takes nothing else between them.
    input_template = join("\n", [
      "\"${var.name_prefix}: ${each.value.means}.\"",
      "\"call:  <call> <error>\"",
      "\"who:   <who> from <where>\"",
      "\"when:  <when>, CloudTrail event <id>\"",
      "\"next:  ${each.value.next}.\"",
    ])
  }
}
