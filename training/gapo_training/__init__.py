"""Training: corpora, constraint-aware augmentation, reward-model warm-up and its evaluation."""
