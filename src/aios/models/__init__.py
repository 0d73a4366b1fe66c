"""The models that ship with AIOS. Knows nothing of cores or kernels: they only see paths."""
