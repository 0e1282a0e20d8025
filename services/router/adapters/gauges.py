"""Sets the gauges, once a second."""

from services.kit.clock import Clock
from services.kit.telemetry.emitter import Emitter
from services.router import metrics
from services.router.adapters.opening import Opened
from services.router.stream.flow import Flow, Lanes
from services.router.stream.reading import Reading


class Gauges:
    """What is looked at, and where it goes."""

    def __init__(self, emitter: Emitter, clock: Clock, reading: Reading, flow: Flow[Opened], lanes: Lanes) -> None:
        self._emitter, self._clock = emitter, clock
        self._reading, self._flow, self._lanes = reading, flow, lanes
        self._holes = 0

    def set(self, lag: int, forgotten: int) -> None:
        """As it is now."""
        emitter, places = self._emitter, self._reading.places.values()
        oldest, memories = self._flow.oldest(), self._flow.memories()
        age = max(0.0, self._clock.now().timestamp() - oldest) if oldest is not None else 0.0
        emitter.set(metrics.LAG, lag)
        emitter.set(metrics.OLDEST, age)
        emitter.set(metrics.IN_FLIGHT, self._flow.in_flight())
        emitter.set(metrics.PARKED, self._flow.parked())
        emitter.set(metrics.KEYS, sum(len(memory) for memory in memories))
        emitter.set(metrics.ROWS, sum(memory.live_rows for memory in memories))
        emitter.set(metrics.PARTITIONS, len(self._reading.places))
        emitter.set(metrics.HALTED, sum(place.halted is not None for place in places))
        emitter.count(metrics.FORGOTTEN, forgotten)
        emitter.count(metrics.HOLES, self._reading.holes - self._holes)
        self._holes = self._reading.holes
        for lane in (self._lanes.main, self._lanes.audit):
            emitter.set(metrics.LANE_DOWN, lane.trouble() is not None, lane=lane.name)
