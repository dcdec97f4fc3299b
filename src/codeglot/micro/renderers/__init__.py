"""One file per programming language: the tree of a function in its words."""
