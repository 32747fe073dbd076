"""The packed Longformer as a torch module; Hugging Face checkpoints in and out."""
