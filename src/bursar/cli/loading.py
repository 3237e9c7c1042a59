"""Loading modules without being stopped in the middle of one.

Ctrl-C makes Python raise wherever it stands, also while a module makes its classes, and not all
libraries in C survive a class half made. So it is kept for as long as loading takes.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def unbroken() -> Iterator[None]:
    """Do what is inside to its end, and stop then if that was asked for meanwhile.

    Where Ctrl-C is ignored, or means something else already, that stays so.

    Raises:
        KeyboardInterrupt: at the end.
    """
    stops = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not stops or current_thread() is not main_thread():  # only that one hears of signals
        yield
        return
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt
