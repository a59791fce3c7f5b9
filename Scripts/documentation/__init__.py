"""What Scripts/check_docs is made of."""
