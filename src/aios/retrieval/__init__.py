"""Finding texts by words and by meaning: embedders, vectors, keywords, and their fusion."""
