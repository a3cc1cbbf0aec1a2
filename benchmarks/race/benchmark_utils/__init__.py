"""What the benchopt classes and the runner share: data, problems, solvers, and the gap that judges them."""
