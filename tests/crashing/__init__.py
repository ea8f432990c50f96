"""What a store holds after those who record in it are killed, or after their disk fails."""
