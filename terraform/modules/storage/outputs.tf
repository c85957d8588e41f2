output "bucket" {
  description = "The mirror's bucket: its name, and its ARN for policies."
  value = {
    name = aws_s3_bucket.mirror.bucket
    arn  = local.arn
  }
}
