use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{ComponentType, Lift, Lower, Resource};

use super::exchange::Exchange;
use super::fields::{self, Entries};
use super::syntax::{is_authority, is_path, is_scheme, is_token};
use super::{Context, HANDLE_BYTES, body};
use crate::wasi::Instance;
use crate::world::World;

/// `outgoing-request` of wasi:http/types.
pub struct OutgoingRequest {
    pub headers: Entries,
    pub method: Method,
    pub scheme: Option<Scheme>,
    pub authority: Option<String>,
    pub path: Option<String>,
    /// Once its body was asked for.
    pub exchange: Option<Arc<Exchange>>,
}

#[derive(ComponentType, Lift, Lower, Clone)]
#[component(variant)]
pub enum Method {
    #[component(name = "get")]
    Get,
    #[component(name = "head")]
    Head,
    #[component(name = "post")]
    Post,
    #[component(name = "put")]
    Put,
    #[component(name = "delete")]
    Delete,
    #[component(name = "connect")]
    Connect,
    #[component(name = "options")]
    Options,
    #[component(name = "trace")]
    Trace,
    #[component(name = "patch")]
    Patch,
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lift, Lower, Clone)]
#[component(variant)]
pub enum Scheme {
    #[component(name = "HTTP")]
    Http,
    #[component(name = "HTTPS")]
    Https,
    #[component(name = "other")]
    Other(String),
}

impl Method {
    pub fn name(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(name) => name,
        }
    }
}

type Handle = Resource<OutgoingRequest>;
/// What the setters return.
type Outcome = (std::result::Result<(), ()>,);

impl OutgoingRequest {
    pub fn bytes(&self) -> usize {
        let method = match &self.method {
            Method::Other(name) => name.len(),
            _ => 0,
        };
        let scheme = match &self.scheme {
            Some(Scheme::Other(name)) => name.len(),
            _ => 0,
        };
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        HANDLE_BYTES
            + method
            + scheme
            + length(&self.authority)
            + length(&self.path)
            + fields::bytes(&self.headers)
    }
}

fn request<'a>(context: &'a Context<'_>, request: &Handle) -> Result<&'a OutgoingRequest> {
    context.data().http.requests.get(request.rep())
}

fn create(context: &mut Context<'_>, headers: u32) -> Result<(Handle,)> {
    let world = context.data_mut();
    let request = OutgoingRequest {
        headers: fields::take(world, headers)?,
        method: Method::Get,
        scheme: None,
        authority: None,
        path: None,
        exchange: None,
    };
    world.hold(request.bytes())?;
    Ok((Resource::new_own(world.http.requests.add(request)?),))
}

/// Takes a request out of its handle, which is no longer one.
pub fn take(world: &mut World, request: u32) -> Result<OutgoingRequest> {
    let request = world.http.requests.remove(request)?;
    world.release(request.bytes());
    Ok(request)
}

/// Changes a request where the value is right.
fn change(
    context: &mut Context<'_>,
    request: &Handle,
    right: bool,
    change: impl FnOnce(&mut OutgoingRequest),
) -> Result<Outcome> {
    if !right {
        return Ok((Err(()),));
    }
    let world = context.data_mut();
    let request = world.http.requests.get_mut(request.rep())?;
    let before = request.bytes();
    change(request);
    let after = request.bytes();
    world.release(before);
    world.hold(after)?;
    Ok((Ok(()),))
}

fn add_body(
    context: &mut Context<'_>,
    request: &Handle,
) -> Result<std::result::Result<Resource<body::OutgoingBody>, ()>> {
    let world = context.data_mut();
    let request = world.http.requests.get_mut(request.rep())?;
    let Some(length) = content_length(&request.headers) else {
        return Ok(Err(()));
    };
    if request.exchange.is_some() {
        return Ok(Err(()));
    }
    let exchange = Arc::new(Exchange::writing());
    request.exchange = Some(Arc::clone(&exchange));
    body::add(world, exchange, length).map(Ok)
}

/// What the headers say of the body's length, if they do; None: they contradict themselves.
pub fn content_length(headers: &Entries) -> Option<Option<u64>> {
    let mut length = None;
    for (name, value) in headers {
        if !name.eq_ignore_ascii_case("content-length") {
            continue;
        }
        let digits = value.iter().all(u8::is_ascii_digit);
        let said: u64 = str::from_utf8(value)
            .ok()?
            .parse()
            .ok()
            .filter(|_| digits)?;
        if length.is_some_and(|length| length != said) {
            return None;
        }
        length = Some(said);
    }
    Some(length)
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[constructor]outgoing-request" => to.func_wrap(
            item,
            |mut context: Context<'_>, (headers,): (Resource<fields::Fields>,)| {
                create(&mut context, headers.rep())
            },
        )?,
        "[method]outgoing-request.body" => to
            .func_wrap(item, |mut context: Context<'_>, (this,): (Handle,)| {
                Ok((add_body(&mut context, &this)?,))
            })?,
        "[method]outgoing-request.method" => {
            to.func_wrap(item, |context: Context<'_>, (this,): (Handle,)| {
                Ok((request(&context, &this)?.method.clone(),))
            })?
        }
        "[method]outgoing-request.set-method" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, method): (Handle, Method)| {
                let right = is_token(method.name());
                change(&mut context, &this, right, |request| {
                    request.method = method
                })
            },
        )?,
        "[method]outgoing-request.path-with-query" => {
            to.func_wrap(item, |context: Context<'_>, (this,): (Handle,)| {
                Ok((request(&context, &this)?.path.clone(),))
            })?
        }
        "[method]outgoing-request.set-path-with-query" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, path): (Handle, Option<String>)| {
                let right = path.as_deref().is_none_or(is_path);
                change(&mut context, &this, right, |request| request.path = path)
            },
        )?,
        "[method]outgoing-request.scheme" => {
            to.func_wrap(item, |context: Context<'_>, (this,): (Handle,)| {
                Ok((request(&context, &this)?.scheme.clone(),))
            })?
        }
        "[method]outgoing-request.set-scheme" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, scheme): (Handle, Option<Scheme>)| {
                let right = match &scheme {
                    Some(Scheme::Other(name)) => is_scheme(name),
                    _ => true,
                };
                change(&mut context, &this, right, |request| {
                    request.scheme = scheme
                })
            },
        )?,
        "[method]outgoing-request.authority" => {
            to.func_wrap(item, |context: Context<'_>, (this,): (Handle,)| {
                Ok((request(&context, &this)?.authority.clone(),))
            })?
        }
        "[method]outgoing-request.set-authority" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, authority): (Handle, Option<String>)| {
                let right = authority.as_deref().is_none_or(is_authority);
                change(&mut context, &this, right, |request| {
                    request.authority = authority;
                })
            },
        )?,
        "[method]outgoing-request.headers" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Handle,)| {
                let headers = request(&context, &this)?.headers.clone();
                Ok((fields::add_immutable(context.data_mut(), headers)?,))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
