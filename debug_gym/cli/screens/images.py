"""The table of prepared images."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def show(console: Console, images: Sequence[Any]) -> None:
    """Print what each was made from, how large it is, and when it was made; then the sum."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("made from", overflow="fold")
    table.add_column("id")
    table.add_column("MB", justify="right")
    table.add_column("made")
    for image in images:
        size, made = f"{image.attrs['Size'] / 1e6:,.0f}", str(image.attrs["Created"])[:16].replace("T", " ")
        table.add_row(image.labels.get("debug-gym.image", ""), image.short_id.partition(":")[2], size, made)
    if images:
        console.print(table)
    total = sum(image.attrs["Size"] for image in images) / 1e9
    console.print(f"{len(images)} prepared images, {total:.1f} GB with what they share", highlight=False)
