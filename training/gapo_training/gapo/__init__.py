"""GAPO: adversarial stages of PPO on the generator and cross-entropy on the reward model."""
