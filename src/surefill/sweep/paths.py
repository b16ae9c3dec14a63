"""The ways to run a variant, by name, the preferred ones first; the engine takes whatever is left."""

from __future__ import annotations

from typing import Final

from surefill.sweep.kernel_path import KernelPath
from surefill.sweep.workbench import ENGINE, KERNEL, EnginePath, VariantPath

PATHS: Final[dict[str, VariantPath]] = {KERNEL: KernelPath(), ENGINE: EnginePath()}
