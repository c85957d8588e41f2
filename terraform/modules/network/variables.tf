variable "name" {
  description = "Name of the network and of all in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,60}$", var.name))
    error_message = "name \"${var.name}\" is not 2 to 61 of a-z, 0-9 and -, beginning with a letter. It follows from project.name in config/airbrew.yaml."
  }
}

variable "cidr_block" {
  description = "Addresses of the network; it meets no other network, so that any private range will do."
  type        = string
  default     = "10.98.0.0/20"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.cidr_block, 4, 1)) && !can(regex(":", var.cidr_block))
    error_message = "cidr_block \"${var.cidr_block}\" is not a range of IPv4 addresses such as 10.98.0.0/20."
  }
}
