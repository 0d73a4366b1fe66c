"""Who may do what: capabilities, groups, policies, labels, budgets. Pure and synchronous."""
