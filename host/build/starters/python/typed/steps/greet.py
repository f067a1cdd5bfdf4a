"""A typed step has a class Handler: it gets its input as records, and returns its output as JSON text.

What it raises is tried again, unless it is Err(Failure_Fatal(...)). For an editor, `componentize-py -d
node_modules/millrace/wit/step.wit -w step bindings .` writes the module wit_world.
"""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import log
from wit_world.imports.types import Failure_Fatal, Input


class Handler(exports.Handler):
    def run(self, input: Input) -> str:
        data = json.loads(input.event.data)
        if not isinstance(data, dict):
            raise Err(Failure_Fatal("the data of the event is no object"))
        name = data.get("name", "world")
        log.log(log.Level.INFO, f"greeting {name}, attempt {input.ctx.attempt}")
        return json.dumps({"text": f"Hello, {name}!"})
