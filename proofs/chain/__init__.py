"""What each allowance rests on."""
