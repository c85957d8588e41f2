data "aws_availability_zones" "here" {
  state = "available"
}

resource "aws_vpc" "task" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Every VPC comes with one; without rules nothing can use it by mistake.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.task.id
}

resource "aws_internet_gateway" "task" {
  vpc_id = aws_vpc.task.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  # Two, so that spare capacity is looked for in two zones.
  count = 2

  vpc_id            = aws_vpc.task.id
  cidr_block        = cidrsubnet(var.cidr_block, 4, count.index)
  availability_zone = data.aws_availability_zones.here.names[count.index]

  tags = { Name = "${var.name}-${count.index}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.task.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.task.id
  }

  tags = { Name = var.name }
}

resource "aws_route_table_association" "public" {
  count = 2

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "task" {
  name        = var.name
  description = "The sync task: asks over HTTPS, is asked by nobody."
  vpc_id      = aws_vpc.task.id
  ingress     = [] # Said, so that a rule somebody adds is seen and taken away.

  egress {
    description = "Upstream, S3, the registry of the image, Step Functions and CloudWatch."
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
