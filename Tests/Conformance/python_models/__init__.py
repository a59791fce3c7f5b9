"""Python models through Triton's own Python backend, which loads as it is."""

from .answers import PythonModels
from .calls import PythonCalls
from .environments import PythonEnvironments, PythonInstances
from .libraries import BackendsInPython, MissingBackend
from .processes import PythonProcessesThatEnd, PythonServerKilled

__all__ = [
    "BackendsInPython", "MissingBackend", "PythonCalls", "PythonEnvironments", "PythonInstances", "PythonModels",
    "PythonProcessesThatEnd", "PythonServerKilled",
]  # fmt: skip
