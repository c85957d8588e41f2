"""What is not as it was deployed: found, explained, and put right again."""
