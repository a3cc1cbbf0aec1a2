"""Beyond linear: kernels of samples and of tasks."""

from .gaussian_process import TaskKernel, TaskNoise
from .hierarchical import HierarchicalGaussianProcess
from .ridge import MultiTaskKernelRidge, MultiTaskKernelRidgeCV
from .selection import select_informative
from .support_vectors import MultiTaskSVC, MultiTaskSVCCV, MultiTaskSVR, MultiTaskSVRCV

__all__ = [
    "HierarchicalGaussianProcess",
    "MultiTaskKernelRidge",
    "MultiTaskKernelRidgeCV",
    "MultiTaskSVC",
    "MultiTaskSVCCV",
    "MultiTaskSVR",
    "MultiTaskSVRCV",
    "TaskKernel",
    "TaskNoise",
    "select_informative",
]
