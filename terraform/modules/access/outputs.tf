output "access" {
  description = "The roles that workflows assume, and the policy that bounds all roles that they make."
  value = {
    provider_arn    = local.provider_arn
    deploy_role_arn = aws_iam_role.github["deploy"].arn
    plan_role_arn   = aws_iam_role.github["plan"].arn
    boundary_arn    = aws_iam_policy.boundary.arn
  }
}
