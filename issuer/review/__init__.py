"""Public notice, two rounds of eligibility review, defence (R4–R8)."""
