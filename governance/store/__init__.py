"""The trail: an append-only log of records, the tables projected from it, and commitments to rows."""
