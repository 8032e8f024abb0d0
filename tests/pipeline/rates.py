"""A rate that only remembers what it was told."""

from dataclasses import dataclass, field

from workflow.model import Backpressure


@dataclass
class Rate:
    """`heard` is what the cloud gave this process to understand, `heeded` what others told it."""

    among: int = 0
    heard: Backpressure = field(default_factory=Backpressure)
    heeded: list[Backpressure] = field(default_factory=list)

    def share_rate(self, among: int) -> None:
        self.among = among

    def strain(self) -> Backpressure:
        return self.heard

    def apply_backpressure(self, strain: Backpressure) -> None:
        self.heeded.append(strain)
