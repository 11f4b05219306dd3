"""Homework 1: the tables of checks (test_autograd, test_mlp), the runner, and the MNIST test."""
