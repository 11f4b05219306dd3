"""Nothing in this folder is collected: the solutions are for the grader's worker to import."""

collect_ignore = ["fused_solution", "closures_solution"]
