"""Text as it arrives: sentences and clauses, spoken form, language."""
