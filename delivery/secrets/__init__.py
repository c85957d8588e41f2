"""What the delivery needs to be told and nobody else may know: declared, checked, rotated."""
