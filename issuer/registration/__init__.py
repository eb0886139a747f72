"""What a registration rests on: commitment, comparison with registers, materials (R2, R3, R15)."""
