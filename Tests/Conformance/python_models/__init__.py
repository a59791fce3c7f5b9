"""Python models through Triton's own Python backend, which loads as it is."""

from .answers import PythonModels
from .calls import PythonCalls
from .environments import PythonEnvironments, PythonInstances
from .libraries import MissingBackend
from .processes import PythonProcessesThatEnd, PythonServerKilled

__all__ = [
    "MissingBackend", "PythonCalls", "PythonEnvironments", "PythonInstances", "PythonModels", "PythonProcessesThatEnd",
    "PythonServerKilled",
]  # fmt: skip
