"""The server as the reward of trainers, in their own terms; none of them is imported."""
