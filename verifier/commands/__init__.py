"""What the commands of `ecert-verify` do; `verifier.cli` says how they are called."""
