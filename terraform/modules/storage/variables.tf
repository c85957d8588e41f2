variable "bucket_name" {
  description = "Name of the bucket that holds the mirror, unique among all of S3."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name \"${var.bucket_name}\" is not a bucket name: 3 to 63 of a-z, 0-9 and -. Set mirror.bucket_name in config/airbrew.yaml."
  }
}

variable "keep_replaced_days" {
  description = "Days that a replaced or deleted object can still be brought back; 0 keeps it for ever."
  type        = number
  nullable    = false

  validation {
    condition     = var.keep_replaced_days >= 0 && var.keep_replaced_days == floor(var.keep_replaced_days)
    error_message = "keep_replaced_days ${var.keep_replaced_days} is not a number of days: 0 or a whole number above it. Set mirror.keep_replaced_days in config/airbrew.yaml."
  }
}
