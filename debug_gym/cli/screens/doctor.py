"""The table of sandboxes: which work here, and what each promises."""

from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.checks.doctor import isolating
from debug_gym.sandbox import Probe
from debug_gym.store.records import versions

MEANINGS = {
    "files": "sees and changes none of your files",
    "network": "reaches no network",
    "processes": "neither sees nor signals other processes",
    "memory": "is limited in memory",
    "disk": "is limited in disk space",
    "process_count": "is limited in its number of processes",
    "cleanup": "ends with the sandbox, even if the gym is killed",
}
"""What each of a backend's guarantees says about the code in its sandboxes."""


def show(console: Console, probes: Mapping[str, Probe]) -> None:
    """Print the guarantees and what they mean, what works and what to do about what does not, and the
    versions."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("sandbox", no_wrap=True)
    for key in MEANINGS:
        table.add_column(key.replace("_", " "))
    for name, probe in probes.items():
        given = asdict(probe.guarantees)
        marks = (Text("yes", style="green") if given[key] else Text("no", style="red") for key in MEANINGS)
        table.add_row(name, *marks)
    console.print(table)
    for key, meaning in MEANINGS.items():
        console.print(Text.assemble((f"  {key.replace('_', ' ')}", "bold"), f": code in it {meaning}"))
    for name, probe in probes.items():
        verdict = ("works", "green") if probe.works else ("does not work", "red")
        console.print(Text.assemble((name, "bold"), " ", verdict, f": {probe.detail}"), soft_wrap=True)
    if not isolating(probes):
        console.print(Text("no sandbox isolates: nothing can be judged here", style="red"))
    for key, value in versions().items():
        console.print(Text(f"{key} {value}", style="dim"))
