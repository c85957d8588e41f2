output "state_machine" {
  description = "The workflow `sync`: its name and ARN."
  value = {
    name = aws_sfn_state_machine.sync.name
    arn  = var.state_machine_arn
  }

  # Known before it is there; nobody may use it before.
  depends_on = [aws_sfn_state_machine.sync]
}
