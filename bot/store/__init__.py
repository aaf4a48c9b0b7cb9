"""Tables and queries. Functions take an open AsyncSession: who owns the transaction is the caller's business."""
