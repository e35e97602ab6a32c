"""Webhooks: the outgoing face. What the outbox holds is sent from here, and nowhere else."""
