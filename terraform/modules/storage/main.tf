locals {
  # Spelled out, not asked for: a plan then shows the policies that hold it before the bucket is there.
  arn = "arn:aws:s3:::${aws_s3_bucket.mirror.bucket}"
}

resource "aws_s3_bucket" "mirror" {
  bucket = var.bucket_name

  lifecycle_rule {
    id      = "abort-incomplete-uploads"
    enabled = true

    abort_incomplete_multipart_upload_days = 2
  }

  dynamic "lifecycle_rule" {
    for_each = var.keep_replaced_days > 0 ? [var.keep_replaced_days] : []

    content {
      id      = "expire-replaced-objects"
      enabled = true

      noncurrent_version_expiration {
        days = lifecycle_rule.value
      }
    }
  }
}

resource "aws_s3_bucket_versioning" "mirror" {
  bucket = aws_s3_bucket.mirror.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "mirror" {
  bucket = aws_s3_bucket.mirror.bucket

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "mirror" {
  bucket = aws_s3_bucket.mirror.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "mirror" {
  bucket = aws_s3_bucket.mirror.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arn, "${local.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two changes of a bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.mirror]
}
