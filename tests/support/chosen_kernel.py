"""A plugin of pytest: the kernel is the file that HEADWATER_KERNEL names. See scripts/sanitize."""

import os
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader

NAME = "projector.kernel._kernel"


def load() -> None:
    loader = ExtensionFileLoader(NAME, os.environ["HEADWATER_KERNEL"])
    spec = spec_from_loader(NAME, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[NAME] = module


load()
