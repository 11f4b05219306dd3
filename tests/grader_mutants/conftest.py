"""Nothing in this folder is collected: the solution is for the grader's worker to import."""

collect_ignore = ["simple_solution"]
