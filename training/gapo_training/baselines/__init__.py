"""Baselines on the data and budget of a GAPO run: DPO, KTO, SimPO, ORPO and AMaPO on preferences."""
