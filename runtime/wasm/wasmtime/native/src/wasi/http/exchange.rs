use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::Result;
use wasmtime::component::Resource;

use super::error::ErrorCode;
use super::fields::Entries;
use super::options::RequestOptions;
use super::request::{OutgoingRequest, Scheme, content_length};
use super::response::{self, IncomingResponse};
use super::{Context, HANDLE_BYTES, request};
use crate::calls::{HostAnswer, HostCall, Request};
use crate::wasi::Instance;
use crate::wasi::ask::{broken, read};
use crate::world::{Ready, World};

/// A request on its way, and what comes back: what an outgoing body, a future response and its pollables have in common.
pub struct Exchange(Mutex<State>);

enum State {
    /// Its body is not finished; the request, once it was handed over.
    Writing(Option<Request>),
    /// Its body, finished before the request was handed over.
    Written(Vec<u8>),
    /// The number of the call.
    Asked(u32),
    Failed(ErrorCode),
    /// The guest has what came back, or wants nothing.
    Over,
}

/// `future-incoming-response` of wasi:http/types.
pub struct Future;

/// Which calls something waits for.
pub enum Awaited {
    Nothing,
    Call(u32),
    /// For the guest itself to finish a body.
    Guest,
}

impl Exchange {
    pub fn writing() -> Self {
        Exchange(Mutex::new(State::Writing(None)))
    }

    fn written(body: Vec<u8>) -> Self {
        Exchange(Mutex::new(State::Written(body)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn awaited(&self, world: &World) -> Awaited {
        match *self.lock() {
            State::Asked(call) if !world.attempt.calls.is_answered(call) => Awaited::Call(call),
            State::Writing(_) => Awaited::Guest,
            _ => Awaited::Nothing,
        }
    }

    /// Its body will never be whole.
    pub fn fail(&self, error: ErrorCode) {
        let mut state = self.lock();
        if let State::Writing(_) = *state {
            *state = State::Failed(error);
        }
    }

    /// Its body is finished: it is sent where the request was handed over.
    pub fn finish(&self, world: &mut World, body: Vec<u8>) {
        let mut state = self.lock();
        let State::Writing(request) = &mut *state else {
            world.release(body.len());
            return;
        };
        *state = match request.take() {
            Some(request) => send(world, request, body),
            None => State::Written(body),
        };
    }

    /// The request is handed over: it is sent where its body is finished.
    fn hand_over(&self, world: &mut World, request: Request) {
        let mut state = self.lock();
        match &mut *state {
            State::Writing(handed) => *handed = Some(request),
            State::Written(body) => {
                let body = std::mem::take(body);
                *state = send(world, request, body);
            }
            _ => {}
        }
    }

    /// Nobody wants what comes back.
    fn give_up(&self, world: &mut World) {
        let mut state = self.lock();
        match &*state {
            State::Asked(call) => world.attempt.calls.forget(*call),
            State::Written(body) => world.release(body.len()),
            _ => {}
        }
        *state = State::Over;
    }
}

/// The body was held for the guest; now the call has it.
fn send(world: &mut World, request: Request, body: Vec<u8>) -> State {
    world.release(body.len());
    let call = world.attempt.calls.ask(&HostCall::Http(request), body);
    call.map_or(
        State::Failed(ErrorCode::ConnectionLimitReached),
        State::Asked,
    )
}

/// A request as the host takes it, if it can be one.
fn to_call(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
) -> std::result::Result<Request, ErrorCode> {
    let scheme = match request.scheme {
        Some(Scheme::Http) => "http",
        Some(Scheme::Https) | None => "https",
        Some(Scheme::Other(_)) => return Err(ErrorCode::ProtocolError),
    };
    let authority = request.authority.ok_or(ErrorCode::RequestUriInvalid)?;
    let path = request.path.unwrap_or_default();
    let options = options.unwrap_or_default();
    let milliseconds = |time: Option<u64>| time.map(|time| time.div_ceil(1_000_000).max(1));
    Ok(Request {
        method: request.method.name().to_owned(),
        scheme,
        authority,
        path: if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        },
        headers: latin1(&request.headers),
        connect_timeout_ms: milliseconds(options.connect),
        first_byte_timeout_ms: milliseconds(options.first_byte),
        between_bytes_timeout_ms: milliseconds(options.between_bytes),
    })
}

fn latin1(headers: &Entries) -> Vec<(String, String)> {
    let text = |value: &[u8]| value.iter().copied().map(char::from).collect();
    headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .collect()
}

fn handle(
    context: &mut Context<'_>,
    request: u32,
    options: Option<u32>,
) -> Result<std::result::Result<Resource<Future>, ErrorCode>> {
    let world = context.data_mut();
    let mut request = request::take(world, request)?;
    let options = options
        .map(|options| take_options(world, options))
        .transpose()?;
    let exchange = match request.exchange.take() {
        Some(exchange) => exchange,
        None => match content_length(&request.headers) {
            Some(None | Some(0)) => Arc::new(Exchange::written(Vec::new())),
            Some(_) => return Ok(Err(ErrorCode::RequestBodySize(Some(0)))),
            None => return Ok(Err(ErrorCode::ProtocolError)),
        },
    };
    match to_call(request, options) {
        Ok(call) => exchange.hand_over(world, call),
        Err(error) => {
            exchange.give_up(world);
            return Ok(Err(error));
        }
    }
    world.hold(HANDLE_BYTES)?;
    Ok(Ok(Resource::new_own(world.http.futures.add(exchange)?)))
}

pub fn take_options(world: &mut World, options: u32) -> Result<RequestOptions> {
    world.release(HANDLE_BYTES);
    world.http.options.remove(options)
}

/// The outer option: whether it is there; the result around the inner one: whether it was not taken before.
type Got =
    Option<std::result::Result<std::result::Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

fn get(context: &mut Context<'_>, future: u32) -> Result<Got> {
    let world = context.data_mut();
    let exchange = Arc::clone(world.http.futures.get(future)?);
    let mut state = exchange.lock();
    let call = match &*state {
        State::Writing(_) | State::Written(_) => return Ok(None),
        State::Over => return Ok(Some(Err(()))),
        State::Failed(error) => {
            let error = error.clone();
            *state = State::Over;
            return Ok(Some(Ok(Err(error))));
        }
        State::Asked(call) => *call,
    };
    if !world.attempt.calls.is_answered(call) {
        return Ok(None);
    }
    *state = State::Over;
    let Some(answer) = world.attempt.calls.take(call) else {
        return broken(context);
    };
    match read(&answer.head) {
        Some(HostAnswer::Response { status, headers }) => {
            let response = response::add(world, status, headers, answer.bytes)?;
            Ok(Some(Ok(Ok(response))))
        }
        Some(HostAnswer::HttpError { code, detail }) => {
            Ok(Some(Ok(Err(ErrorCode::named(&code, detail)))))
        }
        _ => broken(context),
    }
}

/// Lets go of a request's body that is to follow, or of what comes back.
pub fn drop_request(context: &mut Context<'_>, request: u32) -> Result<()> {
    let world = context.data_mut();
    if let Some(exchange) = request::take(world, request)?.exchange {
        exchange.give_up(world);
    }
    Ok(())
}

pub fn drop_future(context: &mut Context<'_>, future: u32) -> Result<()> {
    let world = context.data_mut();
    world.release(HANDLE_BYTES);
    let exchange = world.http.futures.remove(future)?;
    exchange.give_up(world);
    Ok(())
}

pub fn link_handler(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    type Options = Option<Resource<RequestOptions>>;
    if item != "handle" {
        return Ok(false);
    }
    to.func_wrap(
        item,
        |mut context: Context<'_>, (request, options): (Resource<OutgoingRequest>, Options)| {
            let options = options.map(|options| options.rep());
            Ok((handle(&mut context, request.rep(), options)?,))
        },
    )?;
    Ok(true)
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]future-incoming-response.get" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this,): (Resource<Future>,)| {
                Ok((get(&mut context, this.rep())?,))
            },
        )?,
        "[method]future-incoming-response.subscribe" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this,): (Resource<Future>,)| {
                let world = context.data_mut();
                let exchange = Arc::clone(world.http.futures.get(this.rep())?);
                world.add_pollable(Ready::Exchange(exchange))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}
