output "network" {
  description = "Where a task can be placed: as modules/task takes it."
  value = {
    subnet_ids         = aws_subnet.public[*].id
    security_group_ids = [aws_security_group.task.id]
    # Its subnets have an internet gateway and no NAT: without an address of its own a task reaches nothing.
    assign_public_ip = true
  }
}
