"""A plugin of pytest: what is compiled is taken from the folder that HEADWATER_BUILT names. See scripts/sanitize."""

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

NAMES = ("projector.kernel._kernel", "ingest.parser._parser")


def load(name: str) -> None:
    path = Path(os.environ["HEADWATER_BUILT"], *name.split(".")).with_suffix(EXTENSION_SUFFIXES[0])
    loader = ExtensionFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[name] = module


for each in NAMES:
    load(each)
