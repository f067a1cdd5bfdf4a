use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

use crate::program::Refusal;
use crate::world::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLES};

/// Definitions in all of a component's instances: nesting multiplies them, and a small binary can come to very many.
const MOST_DEFINITIONS: u64 = 200_000;

/// Types within types of one section of a component. Its readers go down by recursion, on `STACK`.
const MOST_NESTED_TYPES: usize = 10_000;

/// The stack of threads that read components: thrice what types nested that deep were seen to take.
pub const STACK: usize = 64 * 1024 * 1024;

/// What a component comes to once it is instantiated.
#[derive(Clone, Copy, Default)]
struct Sum {
    /// Its own definitions, and those of what it instantiates.
    definitions: u64,
    core_instances: u64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.definitions = self.definitions.saturating_add(other.definitions);
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
    }

    fn definitions(count: u32) -> Self {
        Sum {
            definitions: count.into(),
            core_instances: 0,
        }
    }
}

/// A component or core module of which the beginning was read.
#[derive(Default)]
struct Open {
    sum: Sum,
    /// The sum of each component in its index space.
    components: Vec<Sum>,
    /// A core module has no components.
    module: bool,
}

/// Checks what a binary comes to when it is instantiated, before Cranelift takes the time to find out: says why it is
/// too much. What is not valid is left for the compiler to say.
pub fn too_much(binary: &[u8]) -> Option<Refusal> {
    let mut open: Vec<Open> = Vec::new();
    let mut now = Sum::default();
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload.ok()?;
        if let Payload::ComponentTypeSection(section) = &payload
            && nested_types(&binary[section.range()]) > MOST_NESTED_TYPES
        {
            return Some(invalid(format!(
                "more than {MOST_NESTED_TYPES} of its types lie within others"
            )));
        }
        let outcome = match payload {
            Payload::Version { encoding, .. } => {
                open.push(Open {
                    module: encoding == Encoding::Module,
                    ..Open::default()
                });
                Ok(())
            }
            Payload::End(_) => {
                close(&mut open);
                Ok(())
            }
            payload => match open.last() {
                Some(last) if last.module => read_module(&payload),
                Some(_) => read(&payload, &mut open),
                None => Ok(()),
            },
        };
        match outcome {
            Err(Stop::TooMuch(refusal)) => return Some(refusal),
            Err(Stop::Invalid) => return None,
            Ok(()) => {}
        }
        if let Some(last) = open.last() {
            now = last.sum;
        }
        if now.definitions > MOST_DEFINITIONS {
            return Some(invalid(format!(
                "its instances have more than {MOST_DEFINITIONS} definitions together"
            )));
        }
    }
    // What is left is the outermost component.
    let Sum { core_instances, .. } = now;
    (core_instances > MOST_INSTANCES as u64)
        .then(|| Refusal::more(core_instances, "core instances", MOST_INSTANCES))
}

enum Stop {
    Invalid,
    TooMuch(Refusal),
}

fn invalid(why: String) -> Refusal {
    Refusal {
        code: "ERR_COMPONENT_INVALID",
        message: format!("The component can't be run: {why}."),
    }
}

/// At least as many as types nest deep in these bytes: one within another begins with 1, then 0x41 or 0x42.
fn nested_types(section: &[u8]) -> usize {
    section
        .windows(2)
        .filter(|pair| matches!(pair, [0x01, 0x41 | 0x42]))
        .count()
}

/// What is counted of a core module: the rest of it is the compiler's.
fn read_module(payload: &Payload<'_>) -> Result<(), Stop> {
    let (count, what, most) = match payload {
        Payload::MemorySection(section) => (section.count(), "memories", MOST_MEMORIES),
        Payload::TableSection(section) => (section.count(), "tables", MOST_TABLES),
        _ => return Ok(()),
    };
    if count as usize > most {
        return Err(Stop::TooMuch(Refusal::more(count.into(), what, most)));
    }
    Ok(())
}

impl From<wasmparser::BinaryReaderError> for Stop {
    fn from(_: wasmparser::BinaryReaderError) -> Self {
        Stop::Invalid
    }
}

/// Gives what was read to the component around it.
fn close(open: &mut Vec<Open>) {
    let Some(done) = open.pop() else { return };
    if let Some(parent) = open.last_mut() {
        parent.sum.definitions += 1;
        if !done.module {
            let mut sum = done.sum;
            sum.add(Sum::definitions(1));
            parent.components.push(sum);
        }
    }
}

fn read(payload: &Payload<'_>, open: &mut [Open]) -> Result<(), Stop> {
    let depth = open.len();
    let (sum, components) = match payload {
        Payload::ComponentInstanceSection(section) => {
            let mut sum = Sum::default();
            for instance in section.clone() {
                sum.add(match instance? {
                    ComponentInstance::Instantiate {
                        component_index, ..
                    } => component(open, depth - 1, component_index)?,
                    ComponentInstance::FromExports(_) => Sum::definitions(1),
                });
            }
            (sum, Vec::new())
        }
        Payload::ComponentAliasSection(section) => {
            let mut components = Vec::new();
            for alias in section.clone() {
                match alias? {
                    ComponentAlias::Outer {
                        kind: ComponentOuterAliasKind::Component,
                        count,
                        index,
                    } => {
                        let around = (depth - 1).checked_sub(count as usize);
                        let around = around.ok_or(Stop::Invalid)?;
                        components.push(component(open, around, index)?);
                    }
                    ComponentAlias::InstanceExport {
                        kind: ComponentExternalKind::Component,
                        ..
                    } => return Err(unknown()),
                    _ => {}
                }
            }
            (Sum::definitions(section.count()), components)
        }
        Payload::ComponentImportSection(section) => {
            for import in section.clone() {
                if let ComponentTypeRef::Component(_) = import?.ty {
                    return Err(unknown());
                }
            }
            (Sum::definitions(section.count()), Vec::new())
        }
        Payload::ComponentExportSection(section) => {
            let mut components = Vec::new();
            for export in section.clone() {
                let export = export?;
                if export.kind == ComponentExternalKind::Component {
                    components.push(component(open, depth - 1, export.index)?);
                }
            }
            (Sum::definitions(section.count()), components)
        }
        Payload::InstanceSection(section) => {
            let mut sum = Sum::definitions(section.count());
            for instance in section.clone() {
                if let Instance::Instantiate { .. } = instance? {
                    sum.core_instances += 1;
                }
            }
            (sum, Vec::new())
        }
        Payload::CoreTypeSection(section) => (Sum::definitions(section.count()), Vec::new()),
        Payload::ComponentTypeSection(section) => (Sum::definitions(section.count()), Vec::new()),
        Payload::ComponentCanonicalSection(section) => {
            (Sum::definitions(section.count()), Vec::new())
        }
        _ => return Ok(()),
    };
    let last = &mut open[depth - 1];
    last.sum.add(sum);
    last.components.extend(components);
    Ok(())
}

fn component(open: &[Open], depth: usize, index: u32) -> Result<Sum, Stop> {
    let found = open
        .get(depth)
        .and_then(|at| at.components.get(index as usize));
    found.copied().ok_or(Stop::Invalid)
}

/// What such a component comes to is not known before it is instantiated.
fn unknown() -> Stop {
    Stop::TooMuch(invalid(
        "it takes a component as an argument, which this engine does not run".to_owned(),
    ))
}
