use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Parser, Payload,
};

/// Definitions in all of a component's instances: nesting multiplies them, and a small binary can come to very many.
const MOST_DEFINITIONS: u64 = 200_000;

/// A component of which the beginning was read.
#[derive(Default)]
struct Open {
    /// Its own definitions, and those of what it instantiates.
    definitions: u64,
    /// The same of each component in its index space.
    components: Vec<u64>,
    /// A core module has no components.
    module: bool,
}

/// Checks what a component comes to when it is instantiated, before Cranelift takes the time to find out: says why it is
/// too much. What is not valid is left for the compiler to say.
pub fn too_much(binary: &[u8]) -> Option<String> {
    let mut open: Vec<Open> = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let outcome = match payload.ok()? {
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
                Some(last) if !last.module => read(&payload, &mut open),
                _ => Ok(()),
            },
        };
        if let Err(Stop::TooMuch(why)) = outcome {
            return Some(why);
        }
        if outcome.is_err() {
            return None;
        }
        let now = open.last().map_or(0, |last| last.definitions);
        if now > MOST_DEFINITIONS {
            return Some(format!(
                "its instances have more than {MOST_DEFINITIONS} definitions together"
            ));
        }
    }
    None
}

enum Stop {
    Invalid,
    TooMuch(String),
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
        parent.definitions += 1;
        if !done.module {
            parent.components.push(done.definitions + 1);
        }
    }
}

fn read(payload: &Payload<'_>, open: &mut [Open]) -> Result<(), Stop> {
    let depth = open.len();
    let (items, components) = match payload {
        Payload::ComponentInstanceSection(section) => {
            let mut added = 0u64;
            for instance in section.clone() {
                let made = match instance? {
                    ComponentInstance::Instantiate {
                        component_index, ..
                    } => component(open, depth - 1, component_index)?,
                    ComponentInstance::FromExports(_) => 1,
                };
                added = added.saturating_add(made);
            }
            (added, Vec::new())
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
            (u64::from(section.count()), components)
        }
        Payload::ComponentImportSection(section) => {
            for import in section.clone() {
                if let ComponentTypeRef::Component(_) = import?.ty {
                    return Err(unknown());
                }
            }
            (u64::from(section.count()), Vec::new())
        }
        Payload::ComponentExportSection(section) => {
            let mut components = Vec::new();
            for export in section.clone() {
                let export = export?;
                if export.kind == ComponentExternalKind::Component {
                    components.push(component(open, depth - 1, export.index)?);
                }
            }
            (u64::from(section.count()), components)
        }
        Payload::InstanceSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::CoreTypeSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::ComponentTypeSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::ComponentCanonicalSection(section) => (u64::from(section.count()), Vec::new()),
        _ => return Ok(()),
    };
    let last = &mut open[depth - 1];
    last.definitions = last.definitions.saturating_add(items);
    last.components.extend(components);
    Ok(())
}

fn component(open: &[Open], depth: usize, index: u32) -> Result<u64, Stop> {
    let found = open
        .get(depth)
        .and_then(|at| at.components.get(index as usize));
    found.copied().ok_or(Stop::Invalid)
}

/// What such a component comes to is not known before it is instantiated.
fn unknown() -> Stop {
    Stop::TooMuch("it takes a component as an argument, which this engine does not run".to_owned())
}
