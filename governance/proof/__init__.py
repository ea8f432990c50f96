"""Is it whole and unchanged? Shown to those who do not trust us."""
