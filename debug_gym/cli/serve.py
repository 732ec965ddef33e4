"""``debug-gym serve``: a local model and a library of experts behind an OpenAI-compatible address."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import split_patterns
from debug_gym.errors import ConfigError, MissingExtraError


@app.command()
def serve(
    library: Annotated[
        str | None,
        typer.Argument(help="A folder of LoRA experts, or hf://owner/name. Left out: the base alone."),
    ] = None,
    *,
    base: Annotated[str | None, typer.Option(help="The base model: a folder, or a name on the Hub.")] = None,
    routers: Annotated[
        str, typer.Option(help="Routers to serve beside the experts: names joined by commas.")
    ] = "arrow,uniform,likelihood",
    name: Annotated[
        str | None, typer.Option(help="What the base is called. [dim]\\[default: its folder's name][/]")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1. [dim]\\[default: a GPU][/]")] = None,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    max_batch: Annotated[int, typer.Option(min=1, help="Answers that are computed together.")] = 16,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Requests that may wait; more get status 429.")
    ] = 256,
    max_length: Annotated[
        int | None,
        typer.Option(
            min=1, help="Tokens of prompt and answer. [dim]\\[default: what the model was made for][/]"
        ),
    ] = None,
) -> None:
    """Serve a base model, each expert of a library and each router as a model of its own.

    [cyan]debug-gym serve experts --base Qwen/Qwen2.5-Coder-1.5B-Instruct[/]

    [cyan]debug-gym run nightmares -a debug -m arrow --base-url http://127.0.0.1:8000/v1[/]  an agent on it

    Chat completions with tools, streaming, usage and log-probabilities; figures at /metrics. Clients need the
    key of the environment variable DEBUG_GYM_SERVE_KEY, if it is set. Needs the extra [bold]serve[/].
    Exit codes: 0 told to stop, 2 wrong input.
    """
    try:
        from debug_gym.lora.serve.http.server import check_address
        from debug_gym.lora.serve.http.server import serve as run_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "fastapi", "serve") from None
    from debug_gym.lora.library import ExpertLibrary
    from debug_gym.lora.serve.assistant import load
    from debug_gym.lora.serve.engine import EngineSettings

    key = os.environ.get("DEBUG_GYM_SERVE_KEY") or None
    check_address(host, key)
    base = base or (ExpertLibrary.open(library).base if library else None)
    if base is None:
        raise ConfigError("which model? give --base: a folder, or a name on the Hugging Face Hub")
    settings = EngineSettings(max_batch=max_batch, max_waiting=max_waiting, max_length=max_length)
    chosen = split_patterns([routers]) if library else ()
    assistant = load(base, library, chosen, device=device, dtype=dtype, settings=settings)
    called = name or Path(base).name
    served = assistant.engine.served
    Console(stderr=True).print(f"[dim]served: {', '.join([called, *served.experts, *served.routers])}[/]")
    run_server(assistant, called, host, port, key)
