"""The rooms beside the cores as a kernel has them: opened, asked, indexed, tidied."""
