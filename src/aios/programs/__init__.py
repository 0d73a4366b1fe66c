"""Programs of the operator's own: started, stopped, ended with all that came of them; their logs.

Knows no agent and no kernel. What is not trusted runs in a sandbox, which this is not.
"""
