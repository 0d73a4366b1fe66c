"""Hostile programs, and the judges that look whether they did what they came for.

`programs/` holds them, each with its attack class and what a breach would be. They are data: read,
handed to a sandbox, never imported. None does lasting harm where nothing holds it.
"""
