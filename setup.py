"""What is compiled: the kernel and the parser, each in its folder. Everything else is said in pyproject.toml."""

import os
from glob import glob

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import setup

ParallelCompile("HEADWATER_BUILD_JOBS").install()


def _extension(name: str, folder: str) -> Pybind11Extension:
    return Pybind11Extension(
        name,
        sorted(glob(f"{folder}/*.cpp")),
        depends=sorted(glob(f"{folder}/*.hpp")),
        cxx_std=17,
        # For a test that looks at what is installed, and runs nothing of it.
        extra_compile_args=[os.environ.get("HEADWATER_KERNEL_OPTIMIZATION", "-O3")],
    )


setup(
    ext_modules=[
        _extension("projector.kernel._kernel", "projector/kernel"),
        _extension("ingest.parser._parser", "ingest/parser"),
    ]
)
