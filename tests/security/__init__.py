"""What pyloader promises against those who mean harm."""
