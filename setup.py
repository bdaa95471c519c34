"""The one part that is compiled: projector/kernel. Everything else is said in pyproject.toml."""

import os
from glob import glob

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import setup

ParallelCompile("HEADWATER_BUILD_JOBS").install()

setup(
    ext_modules=[
        Pybind11Extension(
            "projector.kernel._kernel",
            sorted(glob("projector/kernel/*.cpp")),
            depends=sorted(glob("projector/kernel/*.hpp")),
            cxx_std=17,
            # For a test that looks at what is installed, and runs nothing of it.
            extra_compile_args=[os.environ.get("HEADWATER_KERNEL_OPTIMIZATION", "-O3")],
        )
    ]
)
