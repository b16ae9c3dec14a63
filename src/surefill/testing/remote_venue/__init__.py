"""A venue in a process of its own, with a durable truth, faults to switch on, and its adapter."""

from surefill.testing.remote_venue.connection import Connection, Dial, tcp
from surefill.testing.remote_venue.exchange import Crash, Exchange, Line
from surefill.testing.remote_venue.faults import Fault, FaultSwitch
from surefill.testing.remote_venue.messages import OrderTruth, Rules, Truth
from surefill.testing.remote_venue.process import VenueProcess
from surefill.testing.remote_venue.truth import TruthStore
from surefill.testing.remote_venue.venue import RemoteVenue

__all__ = [
    "Connection",
    "Crash",
    "Dial",
    "Exchange",
    "Fault",
    "FaultSwitch",
    "Line",
    "OrderTruth",
    "RemoteVenue",
    "Rules",
    "Truth",
    "TruthStore",
    "VenueProcess",
    "tcp",
]
