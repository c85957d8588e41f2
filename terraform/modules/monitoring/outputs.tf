output "monitoring" {
  description = "What watches: the trail, its bucket, the rules, and the topic that is told."
  value = {
    trail     = aws_cloudtrail.trail.name
    bucket    = aws_s3_bucket.trail.bucket
    rules     = sort([for rule in concat(values(aws_cloudwatch_event_rule.notice), [aws_cloudwatch_event_rule.sync]) : rule.name])
    topic_arn = local.topic_arn
  }
}
