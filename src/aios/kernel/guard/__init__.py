"""Between who it is and what is done: rights, labels, approvals, budgets, and the audit of it."""
