"""What Scripts/check_cases is made of."""
