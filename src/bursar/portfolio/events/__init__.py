"""Events of a portfolio: what it hears becomes facts, marks and hints; what it does is told.

facts    the statements an event makes, where events are an account's source of facts
intake   the inbox: each event has its effect once, however often it is delivered
relay    the outbox: each commit is told at least once, in order
saying   what is told besides commits: drifts and decisions, which must not be lost either
states   how things stand, told at most once an interval, the last value always
"""

from bursar.portfolio.events.intake import Heard, Intake
from bursar.portfolio.events.relay import Relay

__all__ = ["Heard", "Intake", "Relay"]
