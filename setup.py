"""The one part that is compiled: projector/kernel. Everything else is said in pyproject.toml."""

from glob import glob

from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup

setup(
    ext_modules=[
        Pybind11Extension(
            "projector.kernel._kernel",
            sorted(glob("projector/kernel/*.cpp")),
            depends=sorted(glob("projector/kernel/*.hpp")),
            cxx_std=17,
            extra_compile_args=["-O3"],
        )
    ]
)
