"""Problems x solvers: time to a duality gap that is computed outside of all of them.

The folder is a benchopt benchmark (objective.py, datasets/, solvers/), and has a runner of its own that needs
no benchopt: ``python -m benchmarks.race.run``.
"""
