"""Judging responses without the reward model: IFEval's rules, a language model as judge, and people."""
