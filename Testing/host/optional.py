"""What a Slicer may have or lack: slicer.packaging and the DICOM SEG plugin (from 5.12), PyTorchUtils; a test says."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer

from .dicom_plugin import DICOMSegmentationPluginClass

SEG_PLUGIN = "DICOMSegmentationPlugin"
samples: list[dict[str, Any]] = []  # what SampleData was told of


@dataclass
class Installs:
    """What was asked for, and whether the user agrees."""

    asked: list[Any] = field(default_factory=list)
    agree: bool = True


installs = Installs()


def pip_ensure(
    requirements: Any, constraints: Any = None, skip_packages: Any = None, prompt_install: bool = True,
    prompt_restart: bool = True, requester: Any = None, skip_in_testing: bool = True, show_progress: bool = True,
) -> None:  # fmt: skip
    """Record it; a declined question is a RuntimeError, as in Slicer."""
    installs.asked.append(requirements)
    if not installs.agree:
        raise RuntimeError("User declined package installation")


def pip_check(requirements: Any) -> bool:
    return installs.agree and requirements in installs.asked


def load_requirements(path: Any) -> list[str]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 (str or Path)
        lines = [line.split("#")[0].strip() for line in file]
    return [line for line in lines if line]


class PyTorchUtilsLogic:
    """Of the PyTorch extension."""

    def torchInstalled(self) -> bool:
        return "torch" in installs.asked

    def installTorch(self, askConfirmation: bool = False, forceComputationBackend: str | None = None,
                     torchVersionRequirement: str | None = None,
                     torchvisionVersionRequirement: str | None = None) -> Any:  # fmt: skip
        installs.asked.append("torch")
        return SimpleNamespace(__version__="2.8.0") if installs.agree else None


class SampleDataLogic:
    """Records what a module offers in Sample Data."""

    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom", sampleName: str | None = None, uris: Any = None, fileNames: Any = None,
        nodeNames: Any = None, customDownloader: Any = None, thumbnailFileName: str | None = None,
        loadFileType: Any = None, loadFiles: Any = None, loadFileProperties: Any = None, checksums: Any = None,
    ) -> None:  # fmt: skip
        samples.append({k: v for k, v in locals().items() if v is not None})


def provide(*names: str) -> None:
    """Have exactly these of "slicer.packaging", "PyTorchUtils" and "DICOMSegmentationPlugin"."""
    made = {
        "slicer.packaging": _packaging(),
        "PyTorchUtils": _module("PyTorchUtils", PyTorchUtilsLogic=PyTorchUtilsLogic),
    }
    plugins = {SEG_PLUGIN: DICOMSegmentationPluginClass}
    if unknown := set(names) - set(made) - set(plugins):
        raise ValueError(f"the stand-in cannot provide {sorted(unknown)}, only {sorted({*made, *plugins})}")
    slicer.modules.dicomPlugins = {name: plugin for name, plugin in plugins.items() if name in names}
    for name, module in made.items():
        _place(name, module if name in names else None)


def _place(name: str, module: ModuleType | None) -> None:
    last = name.rpartition(".")[2]
    if module is None:
        sys.modules.pop(name, None)
        if hasattr(slicer, last) and name.startswith("slicer."):
            delattr(slicer, last)
        return
    sys.modules[name] = module
    if name.startswith("slicer."):
        setattr(slicer, last, module)


def _packaging() -> ModuleType:
    return _module("slicer.packaging", pip_ensure=pip_ensure, pip_check=pip_check, load_requirements=load_requirements)


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


def sample_data() -> ModuleType:
    return _module("SampleData", SampleDataLogic=SampleDataLogic)
