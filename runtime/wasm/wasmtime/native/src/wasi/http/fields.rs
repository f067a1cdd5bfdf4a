use wasmtime::Result;
use wasmtime::component::{ComponentType, Lower, Resource};

use super::syntax::{is_header_value, is_reserved, is_token};
use super::{Context, HANDLE_BYTES};
use crate::wasi::Instance;
use crate::world::World;

/// `fields` of wasi:http/types: headers or trailers, with the names as they were given.
pub struct Fields {
    entries: Entries,
    immutable: bool,
}

pub type Entries = Vec<(String, Vec<u8>)>;

/// `header-error` of wasi:http/types.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum HeaderError {
    #[component(name = "invalid-syntax")]
    InvalidSyntax,
    #[component(name = "forbidden")]
    Forbidden,
    #[component(name = "immutable")]
    Immutable,
}

type Outcome<T> = std::result::Result<T, HeaderError>;
type Handle = Resource<Fields>;

/// What entries take beside their texts, about.
const ENTRY_BYTES: usize = 64;

fn entry_bytes((name, value): &(String, Vec<u8>)) -> usize {
    ENTRY_BYTES + name.len() + value.len()
}

pub fn bytes(entries: &Entries) -> usize {
    HANDLE_BYTES + entries.iter().map(entry_bytes).sum::<usize>()
}

/// A handle of a copy that can't be changed.
pub fn add_immutable(world: &mut World, entries: Entries) -> Result<Handle> {
    add(world, entries, true)
}

fn add(world: &mut World, entries: Entries, immutable: bool) -> Result<Handle> {
    world.hold(bytes(&entries))?;
    let fields = Fields { entries, immutable };
    Ok(Resource::new_own(world.http.fields.add(fields)?))
}

/// Takes the entries out of a handle, which is no longer one.
pub fn take(world: &mut World, fields: u32) -> Result<Entries> {
    let Fields { entries, .. } = world.http.fields.remove(fields)?;
    world.release(bytes(&entries));
    Ok(entries)
}

fn entries<'a>(context: &'a Context<'_>, fields: &Handle) -> Result<&'a Entries> {
    Ok(&context.data().http.fields.get(fields.rep())?.entries)
}

fn check(name: &str, values: &[Vec<u8>]) -> Outcome<()> {
    if !is_token(name) || !values.iter().all(|value| is_header_value(value)) {
        return Err(HeaderError::InvalidSyntax);
    }
    if is_reserved(name) {
        return Err(HeaderError::Forbidden);
    }
    Ok(())
}

fn from_list(context: &mut Context<'_>, list: Entries) -> Result<Outcome<Handle>> {
    for (name, value) in &list {
        if let Err(error) = check(name, std::slice::from_ref(value)) {
            return Ok(Err(error));
        }
    }
    add(context.data_mut(), list, false).map(Ok)
}

/// Takes all values of a name away, then adds these.
fn change(
    context: &mut Context<'_>,
    fields: &Handle,
    name: &str,
    clear: bool,
    values: Vec<Vec<u8>>,
) -> Result<Outcome<()>> {
    let world = context.data_mut();
    let Fields { entries, immutable } = world.http.fields.get_mut(fields.rep())?;
    if *immutable {
        return Ok(Err(HeaderError::Immutable));
    }
    if let Err(error) = check(name, &values) {
        // There is nothing of that name to take away.
        return match error {
            HeaderError::Forbidden if values.is_empty() => Ok(Ok(())),
            error => Ok(Err(error)),
        };
    }
    let mut removed = 0;
    if clear {
        entries.retain(|entry| {
            let other = !entry.0.eq_ignore_ascii_case(name);
            removed += if other { 0 } else { entry_bytes(entry) };
            other
        });
    }
    let mut added = 0;
    entries.extend(values.into_iter().map(|value| {
        let entry = (name.to_owned(), value);
        added += entry_bytes(&entry);
        entry
    }));
    world.release(removed);
    world.hold(added)?;
    Ok(Ok(()))
}

fn values<'a>(entries: &'a Entries, name: &'a str) -> impl Iterator<Item = &'a Vec<u8>> {
    entries
        .iter()
        .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[constructor]fields" => to.func_wrap(item, |mut context: Context<'_>, (): ()| {
            Ok((add(context.data_mut(), Vec::new(), false)?,))
        })?,
        "[static]fields.from-list" => to
            .func_wrap(item, |mut context: Context<'_>, (list,): (Entries,)| {
                Ok((from_list(&mut context, list)?,))
            })?,
        "[method]fields.get" => to.func_wrap(
            item,
            |context: Context<'_>, (fields, name): (Handle, String)| {
                let found = values(entries(&context, &fields)?, &name);
                Ok((found.cloned().collect::<Vec<_>>(),))
            },
        )?,
        "[method]fields.has" => to.func_wrap(
            item,
            |context: Context<'_>, (fields, name): (Handle, String)| {
                Ok((values(entries(&context, &fields)?, &name).next().is_some(),))
            },
        )?,
        "[method]fields.set" => to.func_wrap(
            item,
            |mut context: Context<'_>, (fields, name, values): (Handle, String, Vec<Vec<u8>>)| {
                Ok((change(&mut context, &fields, &name, true, values)?,))
            },
        )?,
        "[method]fields.delete" => to.func_wrap(
            item,
            |mut context: Context<'_>, (fields, name): (Handle, String)| {
                Ok((change(&mut context, &fields, &name, true, Vec::new())?,))
            },
        )?,
        "[method]fields.append" => to.func_wrap(
            item,
            |mut context: Context<'_>, (fields, name, value): (Handle, String, Vec<u8>)| {
                Ok((change(&mut context, &fields, &name, false, vec![value])?,))
            },
        )?,
        "[method]fields.entries" => to
            .func_wrap(item, |context: Context<'_>, (fields,): (Handle,)| {
                Ok((entries(&context, &fields)?.clone(),))
            })?,
        "[method]fields.clone" => {
            to.func_wrap(item, |mut context: Context<'_>, (fields,): (Handle,)| {
                let copy = entries(&context, &fields)?.clone();
                Ok((add(context.data_mut(), copy, false)?,))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
