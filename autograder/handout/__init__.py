"""The handout: the student's starter, made from a solution with marked regions."""
