output "schedule" {
  description = "The schedule that starts a sync: its name, and its group's."
  value = {
    name       = aws_scheduler_schedule.sync.name
    group_name = aws_scheduler_schedule.sync.group_name
  }
}
