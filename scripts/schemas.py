"""Write the JSON Schema of everything that a run stores into ``debug_gym/store/schema``, from the models.

``--check`` writes nothing, names the files that are stale, and exits with 1 if there are any.
"""

import argparse
import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from debug_gym.episode import ModelReply, Observation, Step, TokenData, ToolCall, Verdict
from debug_gym.runs.config import RunConfig
from debug_gym.store.records import End, Manifest, Result, Start

FOLDER = Path(__file__).parents[1] / "debug_gym" / "store" / "schema"
LINE = TypeAdapter(Annotated[Start | Step | End, Field(discriminator="kind")])
SCHEMAS: dict[str, tuple[str, TypeAdapter[Any], tuple[type[BaseModel], ...]]] = {
    "trajectory": (
        "A line of trajectories/<task>.<attempt>.jsonl",
        LINE,
        (Start, Step, End, ToolCall, Observation, ModelReply, TokenData, Verdict),
    ),
    "result": ("A line of results.jsonl", TypeAdapter(Result), (Result,)),
    "config": ("config.json of a run", TypeAdapter(Manifest), (Manifest,)),
    "settings": ("A YAML file for debug-gym run --config", TypeAdapter(RunConfig), (RunConfig,)),
}


def schema(name: str) -> dict[str, Any]:
    """The schema of that name, with the docstrings of the models' fields as descriptions."""
    title, adapter, models = SCHEMAS[name]
    found = adapter.json_schema(mode="serialization" if name != "settings" else "validation")
    found["title"] = title
    for model in models:
        described = found.get("$defs", {}).get(model.__name__, found)
        described["description"] = inspect.getdoc(model)
        for field, text in field_docstrings(model).items():
            described["properties"][field]["description"] = text
    if name == "settings":
        del found["required"]  # settings may come in parts, from several files
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Field to the string that stands below it in the source."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for line, below in zip(definition.body, definition.body[1:], strict=False):
        match line, below:
            case (
                ast.AnnAssign(target=ast.Name(field)),
                ast.Expr(ast.Constant(str(text))),
            ) if field in model.model_fields:
                found[field] = " ".join(text.split())
    return found


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name in SCHEMAS:
        path, text = FOLDER / f"{name}.schema.json", json.dumps(schema(name), indent=2, sort_keys=True) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if stale:
        print(f"{'stale' if check else 'written'}: {', '.join(stale)}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
