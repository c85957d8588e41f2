"""Does a mirror, whoever runs it, answer what each generation of brew asks of it."""
