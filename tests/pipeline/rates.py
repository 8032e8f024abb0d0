"""A rate that only remembers what it was told."""

from dataclasses import dataclass, field

from workflow.model import Strain


@dataclass
class Rate:
    """`heard` is what the cloud gave this process to understand, `heeded` what others told it."""

    among: int = 0
    heard: Strain = field(default_factory=Strain)
    heeded: list[Strain] = field(default_factory=list)

    def share_rate(self, among: int) -> None:
        self.among = among

    def strain(self) -> Strain:
        return self.heard

    def heed(self, strain: Strain) -> None:
        self.heeded.append(strain)
