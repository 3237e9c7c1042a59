"""Does it agree: what a venue says that it holds, against what the book says."""

from bursar.reconcile.statement import Holding, Statement

__all__ = ["Holding", "Statement"]
