mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
}

variables {
  name = "airbrew-dev-sync"
}

run "the_task_gets_two_zones_and_a_way_out" {
  assert {
    condition     = [for subnet in aws_subnet.public : subnet.availability_zone] == ["us-east-1a", "us-east-1b"]
    error_message = "The subnets are in ${jsonencode(aws_subnet.public[*].availability_zone)}."
  }

  assert {
    condition     = [for subnet in aws_subnet.public : subnet.cidr_block] == ["10.98.0.0/24", "10.98.1.0/24"]
    error_message = "The subnets have ${jsonencode(aws_subnet.public[*].cidr_block)}."
  }

  assert {
    condition = (
      output.network.assign_public_ip && length(output.network.subnet_ids) == 2
      && length(output.network.security_group_ids) == 1
    )
    error_message = "The output is ${jsonencode(output.network)}."
  }
}

run "nothing_comes_in_and_only_https_goes_out" {
  command = plan

  assert {
    condition = (
      length(aws_security_group.task.egress) == 1
      && alltrue([for rule in aws_security_group.task.egress : rule.from_port == 443 && rule.to_port == 443 && rule.protocol == "tcp"])
    )
    error_message = "More than HTTPS goes out."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Whatever is placed here would get a public address."
  }
}

run "a_name_that_aws_would_refuse_is_refused" {
  command = plan

  variables {
    name = "Airbrew Sync"
  }

  expect_failures = [var.name]
}

run "addresses_that_leave_no_room_for_subnets_are_refused" {
  command = plan

  variables {
    cidr_block = "10.98.0.0/30"
  }

  expect_failures = [var.cidr_block]
}
