use std::path::Path;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{Engine, Module, ResourcesRequired};

use crate::artifact;
use crate::nesting;
use crate::type_text::signature;
use crate::typed::{TypedParams, TypedResults};
use crate::wasi;
use crate::world::{MOST_MEMORIES, MOST_TABLES, World};

/// What a binary is and how it is called, as runtime/wasm/component.ts found.
#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    Typed,
    Program,
    Command,
}

/// A program that is ready to be instantiated.
pub struct Program {
    pub entry: Entry,
    /// Memories and tables that an instance takes of the pool.
    pub memories: u32,
    pub tables: u32,
    /// The memory with which its largest module begins.
    pub initial_memory: u64,
    /// What is kept of it in memory, about.
    pub bytes: usize,
}

/// How an attempt gets in.
pub enum Entry {
    Typed {
        pre: InstancePre<World>,
        run: ComponentExportIndex,
    },
    Program {
        pre: InstancePre<World>,
        run: ComponentExportIndex,
    },
    Command {
        pre: wasmtime::InstancePre<World>,
    },
}

/// Why a binary can't run; `code` is one of runtime/errors.ts.
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn panicked() -> Self {
        refuse("ERR_ENGINE_BROKEN", "The engine panicked.".to_owned())
    }

    /// An attempt has fewer of something than this one would begin with.
    pub fn more(count: u64, what: &str, most: usize) -> Self {
        refuse(
            "ERR_STEP_MEMORY",
            format!("The component has {count} {what}; an attempt may have {most}."),
        )
    }
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal { code, message }
}

/// A program from its compiled code on disk; None when that is not there, or not for this engine.
pub fn load(engine: &Engine, path: &Path, shape: Shape) -> Result<Option<Program>, Refusal> {
    let Some(code) = artifact::read(path) else {
        return Ok(None);
    };
    // SAFETY: the code is what this engine wrote: the file lies in the host's own cache, named by the binary's digest
    // and this engine's version and configuration, and name and content have the digest with which it was written.
    #[allow(unsafe_code)]
    let loaded = unsafe { deserialize(engine, &code, shape) };
    match loaded {
        Ok(compiled) => link(engine, &compiled, shape, code.len()).map(Some),
        // Of another version after all: it is compiled anew.
        Err(_) => Ok(None),
    }
}

enum Compiled {
    Component(Component),
    Module(Module),
}

/// # Safety
/// The code must come from `serialize` of an engine of this kind.
#[allow(unsafe_code)]
unsafe fn deserialize(engine: &Engine, code: &[u8], shape: Shape) -> wasmtime::Result<Compiled> {
    // SAFETY: the caller's promise.
    unsafe {
        if shape == Shape::Command {
            Module::deserialize(engine, code).map(Compiled::Module)
        } else {
            Component::deserialize(engine, code).map(Compiled::Component)
        }
    }
}

/// Compiles a binary, checks and links it, and keeps what can run on disk.
pub fn compile(
    engine: &Engine,
    binary: &[u8],
    path: &Path,
    shape: Shape,
) -> Result<Program, Refusal> {
    let invalid = |error: wasmtime::Error| {
        refuse(
            "ERR_COMPONENT_INVALID",
            format!("The component is not valid: {error:#}."),
        )
    };
    if let Some(refusal) = nesting::too_much(binary) {
        return Err(refusal);
    }
    let compiled = if shape == Shape::Command {
        Compiled::Module(Module::from_binary(engine, binary).map_err(invalid)?)
    } else {
        Compiled::Component(Component::from_binary(engine, binary).map_err(invalid)?)
    };
    let code = match &compiled {
        Compiled::Component(component) => component.serialize(),
        Compiled::Module(module) => module.serialize(),
    }
    .map_err(|error| refuse("ERR_ENGINE_BROKEN", format!("{error:#}")))?;
    let program = link(engine, &compiled, shape, code.len())?;
    artifact::write(path, &code);
    Ok(program)
}

fn link(
    engine: &Engine,
    compiled: &Compiled,
    shape: Shape,
    bytes: usize,
) -> Result<Program, Refusal> {
    match compiled {
        Compiled::Component(component) => link_component(engine, component, shape, bytes),
        Compiled::Module(module) => link_command(engine, module, bytes),
    }
}

fn import_refusal(error: &wasmtime::Error) -> Refusal {
    refuse(
        "ERR_COMPONENT_IMPORT",
        format!("The component imports what this host does not have: {error:#}."),
    )
}

pub fn link_component(
    engine: &Engine,
    component: &Component,
    shape: Shape,
    bytes: usize,
) -> Result<Program, Refusal> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker, component).map_err(|error| import_refusal(&error))?;
    let pre = linker
        .instantiate_pre(component)
        .map_err(|error| import_refusal(&error))?;
    let run = find_entry(&linker, component, &pre, shape)?;
    let (memories, tables, initial_memory) = needs(component.resources_required())?;
    let entry = if shape == Shape::Typed {
        Entry::Typed { pre, run }
    } else {
        Entry::Program { pre, run }
    };
    Ok(Program {
        entry,
        memories,
        tables,
        initial_memory,
        bytes,
    })
}

/// The size of a page of memory, in bytes.
const PAGE: u64 = 65_536;

/// The memories and tables of an instance, and the memory with which its largest module begins.
fn needs(resources: Option<ResourcesRequired>) -> Result<(u32, u32, u64), Refusal> {
    // None for what takes modules as arguments, which is refused before.
    let Some(needs) = resources else {
        return Ok((1, 1, 0));
    };
    let (memories, tables) = (needs.num_memories, needs.num_tables);
    if memories as usize > MOST_MEMORIES {
        return Err(Refusal::more(memories.into(), "memories", MOST_MEMORIES));
    }
    if tables as usize > MOST_TABLES {
        return Err(Refusal::more(tables.into(), "tables", MOST_TABLES));
    }
    let pages = needs.max_initial_memory_size.unwrap_or(0);
    Ok((memories, tables, pages.saturating_mul(PAGE)))
}

/// The step's `run`, whose type is held to the world's.
fn find_entry(
    linker: &Linker<World>,
    component: &Component,
    pre: &InstancePre<World>,
    shape: Shape,
) -> Result<ComponentExportIndex, Refusal> {
    let prefix = if shape == Shape::Typed {
        "millrace:step/handler@0.1."
    } else {
        "wasi:cli/run@0.2."
    };
    let mismatch = |message: String| refuse("ERR_COMPONENT_EXPORT", message);
    let engine = linker.engine();
    let ty = linker
        .substituted_component_type(component)
        .map_err(|error| import_refusal(&error))?;
    let name = ty
        .exports(engine)
        .map(|(name, _)| name.to_owned())
        .find(|name| name.starts_with(prefix));
    let lacking = || mismatch(format!("The component's {prefix} lacks its function run."));
    let name = name.ok_or_else(lacking)?;
    let (_, instance) = component
        .get_export(None, name.as_str())
        .ok_or_else(lacking)?;
    let (item, run) = component
        .get_export(Some(&instance), "run")
        .ok_or_else(lacking)?;
    let ComponentItem::ComponentFunc(function) = item else {
        return Err(lacking());
    };
    let instance_type = pre.instance_type();
    let checked = if shape == Shape::Typed {
        function.typecheck::<TypedParams<'_>, TypedResults>(&instance_type)
    } else {
        function.typecheck::<(), (Result<(), ()>,)>(&instance_type)
    };
    match checked {
        Ok(()) if !function.async_() => Ok(run),
        _ => Err(mismatch(format!(
            "run of {name} has the type {}, which is not the world's.",
            signature(&function)
        ))),
    }
}

fn link_command(engine: &Engine, module: &Module, bytes: usize) -> Result<Program, Refusal> {
    let mut linker = wasmtime::Linker::new(engine);
    wasi::preview1::link(&mut linker)
        .map_err(|error| refuse("ERR_ENGINE_BROKEN", format!("{error:#}")))?;
    let pre = linker
        .instantiate_pre(module)
        .map_err(|error| import_refusal(&error))?;
    let start = module.get_export("_start");
    let runs = start
        .as_ref()
        .and_then(|start| start.func())
        .is_some_and(|start| start.params().len() == 0 && start.results().len() == 0);
    if !runs {
        return Err(refuse(
            "ERR_COMPONENT_EXPORT",
            "The module's `_start` is not a function without parameters and results.".to_owned(),
        ));
    }
    let (memories, tables, initial_memory) = needs(Some(module.resources_required()))?;
    Ok(Program {
        entry: Entry::Command { pre },
        memories,
        tables,
        initial_memory,
        bytes,
    })
}
