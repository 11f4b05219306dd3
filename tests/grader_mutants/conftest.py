"""Nothing in this folder is collected: the solutions are for the grader's worker to import."""

collect_ignore = ["simple_solution", "fused_solution", "closures_solution"]
