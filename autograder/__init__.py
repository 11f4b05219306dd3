"""The local grader: it judges a submission by what its code answers in another process."""
