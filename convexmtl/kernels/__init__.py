"""Beyond linear: kernels of samples and of tasks."""

from .gaussian_process import TaskKernel, TaskNoise
from .ridge import MultiTaskKernelRidge, MultiTaskKernelRidgeCV
from .support_vectors import MultiTaskSVC, MultiTaskSVCCV, MultiTaskSVR, MultiTaskSVRCV

__all__ = [
    "MultiTaskKernelRidge",
    "MultiTaskKernelRidgeCV",
    "MultiTaskSVC",
    "MultiTaskSVCCV",
    "MultiTaskSVR",
    "MultiTaskSVRCV",
    "TaskKernel",
    "TaskNoise",
]
