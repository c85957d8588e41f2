terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"

      # us-east-1, whichever region the environment is in: global.tf.
      configuration_aliases = [aws.global]
    }
  }
}
