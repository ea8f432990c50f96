"""What hangs on a source? The label set of the current runs, what it would be without a source, and what that would do."""
