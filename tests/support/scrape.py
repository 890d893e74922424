"""What Prometheus would see of a process."""

from collections.abc import Iterator

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = dict[str, str]


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.samples: list[tuple[str, Labels, float]] = [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; 0 where there is none."""
        return sum(
            value
            for sample, has, value in self.samples
            if sample == name and labels.items() <= has.items()
        )

    def labels_of(self, name: str) -> Iterator[Labels]:
        """The labels of every sample with this name."""
        return (has for sample, has, _ in self.samples if sample == name)


async def scrape(port: int) -> Scrape:
    """What is served at a metrics port of loopback."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    return Scrape(answer.text)
