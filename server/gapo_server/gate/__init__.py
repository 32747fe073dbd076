"""The gate: rules and the reward model under a policy, one decision for each response."""
