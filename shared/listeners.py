"""Who is told what a subscription hears, and of what it may have missed."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from shared.subscription_line import Batch


class Listener(Protocol):
    """Who is told. All are called on the event loop and must not block."""

    def on_batch(self, batch: Batch) -> None: ...

    def on_lost(self) -> None: ...

    def on_restored(self) -> None: ...


@runtime_checkable
class PartListener(Listener, Protocol):
    """One that can be told which channels are concerned: of a cluster only parts are lost. Who is
    no such listener is told that all is lost, and restored at once: who reads a log subscribes to
    its channel first, which takes until that is back. So more is read than has to be, not less."""

    def on_part_lost(self, channels: Collection[bytes]) -> None: ...

    def on_part_restored(self, channels: Collection[bytes]) -> None: ...


def tell_part_lost(listener: Listener, channels: Collection[bytes]) -> None:
    """Tell any listener that these channels are lost."""
    if isinstance(listener, PartListener):
        listener.on_part_lost(channels)
    else:
        listener.on_lost()
        listener.on_restored()


def tell_part_restored(listener: Listener, channels: Collection[bytes]) -> None:
    """Tell any listener that these channels are subscribed again."""
    if isinstance(listener, PartListener):
        listener.on_part_restored(channels)
    else:
        listener.on_restored()
