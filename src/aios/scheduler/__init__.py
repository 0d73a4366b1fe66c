"""Who runs next: pure policies over facts."""
