mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::airbrew-dev-mirror" }
  }
}

variables {
  bucket_name        = "airbrew-dev-mirror"
  keep_replaced_days = 7
}

run "the_bucket_is_versioned_encrypted_private_and_told_by_name_and_arn" {
  assert {
    condition     = aws_s3_bucket_versioning.mirror.versioning_configuration[0].status == "Enabled"
    error_message = "Without versions, what a faulty sync replaces is gone."
  }

  assert {
    condition = one([
      for rule in aws_s3_bucket_server_side_encryption_configuration.mirror.rule :
      rule.apply_server_side_encryption_by_default[0].sse_algorithm
    ]) == "AES256"
    error_message = "Objects are to be encrypted with S3's own key."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.mirror.block_public_acls,
      aws_s3_bucket_public_access_block.mirror.block_public_policy,
      aws_s3_bucket_public_access_block.mirror.ignore_public_acls,
      aws_s3_bucket_public_access_block.mirror.restrict_public_buckets,
    ])
    error_message = "One of S3's four locks against the public is open."
  }

  assert {
    condition = output.bucket == {
      name = "airbrew-dev-mirror"
      arn  = "arn:aws:s3:::airbrew-dev-mirror"
    }
    error_message = "The output is ${jsonencode(output.bucket)}."
  }
}

run "nobody_reads_or_writes_in_the_clear" {
  command = plan
  assert {
    condition = jsondecode(aws_s3_bucket_policy.mirror.policy).Statement == [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::airbrew-dev-mirror", "arn:aws:s3:::airbrew-dev-mirror/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The bucket policy is ${aws_s3_bucket_policy.mirror.policy}."
  }
}

run "what_was_replaced_or_left_half_uploaded_goes_and_nothing_else" {
  command = plan

  assert {
    condition = one([
      for rule in aws_s3_bucket.mirror.lifecycle_rule : rule.noncurrent_version_expiration[0].days
      if length(rule.noncurrent_version_expiration) > 0
    ]) == 7
    error_message = "Replaced objects are to be kept for keep_replaced_days, and no longer."
  }

  assert {
    condition     = contains(aws_s3_bucket.mirror.lifecycle_rule[*].abort_incomplete_multipart_upload_days, 2)
    error_message = "Parts of uploads that nobody completes are paid for until they are aborted."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket.mirror.lifecycle_rule : length(rule.expiration) == 0])
    error_message = "A rule would delete bottles that the published API names."
  }
}

run "zero_days_keeps_replaced_objects_for_ever" {
  command = plan

  variables {
    keep_replaced_days = 0
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket.mirror.lifecycle_rule : length(rule.noncurrent_version_expiration) == 0
    ])
    error_message = "A lifecycle rule would delete what 0 promises to keep."
  }
}

run "a_name_that_s3_refuses_and_negative_days_are_refused" {
  command = plan

  variables {
    bucket_name        = "Airbrew_Mirror"
    keep_replaced_days = -1
  }

  expect_failures = [var.bucket_name, var.keep_replaced_days]
}

run "half_days_are_refused" {
  command = plan

  variables {
    keep_replaced_days = 0.5
  }

  expect_failures = [var.keep_replaced_days]
}
