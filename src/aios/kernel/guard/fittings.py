"""The parts that the guard of every booted kernel has beside the monitor, in one place."""

from aios.kernel.guard.parts import Fitting

FITTINGS: tuple[Fitting, ...] = ()
