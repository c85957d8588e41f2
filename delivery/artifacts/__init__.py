"""What is built: byte-reproducible archives, named by digest."""
