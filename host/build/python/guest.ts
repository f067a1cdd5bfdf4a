/** What stands around a Python step: loads it while the component is made, and runs it in each attempt. */

/** The name of the module that componentize-py is given. */
export const guestModule = "millrace_guest";

/** Where the guest writes, beside itself, which files it has loaded. */
export const inputsFile = "inputs.json";

/** Both worlds begin so: what is imported is loaded into the component, since an attempt finds no files. */
const common = (entry: string, file: string): string => `
import sys

sys.dont_write_bytecode = True
import ast, importlib, importlib.util, json, linecache, os, sys, traceback, types
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8
from wit_world import exports
from wit_world.imports import environment

ENTRY = ${JSON.stringify(entry)}
FILE = ${JSON.stringify(file)}
own = [path for path in sys.path if os.path.exists(os.path.join(path, FILE))][:1]


def problem(message, file, line):
    sys.stderr.write("\\nmillrace-problem " + json.dumps({"message": message, "file": file, "line": line}) + "\\n")
    sys.stderr.flush()
    raise SystemExit(1)


def load(name, file, node, required):
    try:
        importlib.import_module(name)
    except BaseException as error:
        if required:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if shown(f.filename) is not None]
            place = (shown(frames[-1].filename), frames[-1].lineno) if frames else (shown(file) or file, node.lineno)
            if isinstance(error, SyntaxError) and error.filename and shown(error.filename):
                place = (shown(error.filename), error.lineno)
            problem(f"{type(error).__name__}: {error}", *place)


def shown(file):
    for path in own:
        if file.startswith(path + "/"):
            return file[len(path) + 1:]
    return None


def preload(source, file, package=None):
    tree = ast.parse(source, file)
    required = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [(alias.name, id(node) in required) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            if node.level:
                if package is None:
                    continue
                base = importlib.util.resolve_name(base, package)
            names = [(base, id(node) in required)] + [(f"{base}.{alias.name}", False) for alias in node.names]
        for name, needed in names:
            if name.split(".")[0] != "__future__":
                load(name, file, node, needed)


def preload_all(done):
    # What modules of the step's own import within functions is wanted too.
    while found := [m for n, m in list(sys.modules.items()) if n not in done and shown(getattr(m, "__file__", None) or "")]:
        for module in found:
            done.add(module.__name__)
            with open(module.__file__, encoding="utf-8") as text:
                preload(text.read(), module.__file__, module.__package__ or None)

    loaded = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    with open(os.path.join(os.path.dirname(__file__), ${JSON.stringify(inputsFile)}), "w") as text:
        json.dump(loaded, text)


def begin():
    os.environ.clear()
    os.environ.update(dict(environment.get_environment()))
    if "random" in sys.modules:
        # Its state was made with the component: every attempt would begin with the same numbers.
        sys.modules["random"].seed()
    return environment.get_arguments()


def end():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
`;

/** A program: its text runs anew in each attempt, with the modules that it imports loaded before. */
export function programGuest(entry: string, file: string): string {
  return `${common(entry, file)}
import atexit
from wit_world.imports import exit as wasi_exit

folder = own[0]
path = os.path.join(folder, FILE)
with open(path, encoding="utf-8") as text:
    source = text.read()
try:
    code = compile(source, FILE, "exec", dont_inherit=True)
except SyntaxError as error:
    problem(f"SyntaxError: {error.msg}", FILE, error.lineno)
sys.argv = [FILE]
preload(source, path)
preload_all({ENTRY, __name__})
linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)


class Run(exports.Run):
    def run(self):
        sys.argv = [FILE] + begin()[1:]
        main = types.ModuleType("__main__")
        main.__file__ = FILE
        sys.modules["__main__"] = main
        status = 0
        try:
            exec(code, main.__dict__)
        except SystemExit as error:
            if isinstance(error.code, int):
                status = error.code & 255
            elif error.code is not None:
                print(error.code, file=sys.stderr)
                status = 1
        except BaseException as error:
            traceback.print_exception(type(error), error, error.__traceback__.tb_next)
            status = 1
        atexit._run_exitfuncs()
        end()
        if status != 0:
            wasi_exit.exit_with_code(status)
`;
}

/** A typed step: its class Handler is called, and what it raises besides Err is tried again. */
export function typedGuest(entry: string, file: string): string {
  return `${common(entry, file)}
from componentize_py_types import Err
from wit_world.imports import types as step_types

with open(os.path.join(own[0], FILE), encoding="utf-8") as text:
    source = text.read()
try:
    ast.parse(source, FILE)
except SyntaxError as error:
    problem(f"SyntaxError: {error.msg}", FILE, error.lineno)
node = types.SimpleNamespace(lineno=1)
load(ENTRY, os.path.join(own[0], FILE), node, True)
preload_all({__name__})
step = sys.modules[ENTRY]
if not hasattr(step, "Handler"):
    problem("there is no class Handler", FILE, 1)


class Handler(exports.Handler):
    def run(self, input):
        begin()
        try:
            return step.Handler().run(input)
        except Err:
            raise
        except Exception as error:
            traceback.print_exception(type(error), error, error.__traceback__.tb_next)
            message = f"{type(error).__name__}: {error}"
            raise Err(step_types.Failure_Retry(step_types.RetryLater(message, None)))
        finally:
            end()
`;
}
