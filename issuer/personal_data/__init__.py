"""What the law says about personal data kept here: rotation of its keys, export, erasure, how long it is kept."""
