terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"

      # us-east-1: see modules/monitoring.
      configuration_aliases = [aws.global]
    }
  }
}
