"""Measurements, never tests: `make bench`, or `python -m tests.benchmarks [NAME...] [--quick]`.

The machine is slow and shared, so each number stands beside a floor that was measured in the same run, in turns with
it; what counts is the ratio. Each benchmark says in its docstring what exactly it measures.
"""
