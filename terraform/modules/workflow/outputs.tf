output "state_machine" {
  description = "The workflow `sync`: its name and ARN."
  value = {
    name = aws_sfn_state_machine.sync.name
    arn  = aws_sfn_state_machine.sync.arn
  }
}
