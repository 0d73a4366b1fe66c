"""Is the server there, is it ready, which version is it, and what has it counted."""

from importlib.metadata import PackageNotFoundError, version

from aios.errors import CoreFailed, ShuttingDown
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.metrics import TEXT, Metrics
from aios.syscalls.table import VERSION

PACKAGE = "aios-kernel"


class Health:
    """Endpoints that need no token: they tell nothing about anybody."""

    def __init__(self, kernel: Kernel, metrics: Metrics) -> None:
        self._kernel = kernel
        self._metrics = metrics
        self.is_draining = False

    async def alive(self, exchange: Exchange) -> None:
        """GET /health"""
        await exchange.reply_json({"status": "ok"})

    async def ready(self, exchange: Exchange) -> None:
        """GET /health/ready"""
        if self.is_draining or self._kernel.gate.is_closed:
            raise ShuttingDown("the kernel is stopping; it takes no more calls")
        gone = next((loop.gone for loop in self._kernel.loops if loop.gone), "")
        if gone:
            raise CoreFailed(f"an engine is gone for good: {gone}; start the kernel anew")
        await exchange.reply_json({"status": "ready"})

    async def version(self, exchange: Exchange) -> None:
        """GET /version"""
        await exchange.reply_json({"version": _version(), "syscalls": VERSION})

    async def metrics(self, exchange: Exchange) -> None:
        """GET /metrics"""
        await exchange.reply(self._metrics.text(), kind=TEXT)


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "source"
