use wasmtime::component::{ComponentType, Lower, Resource};
use wasmtime::{Result, StoreContextMut};

use crate::calls::{HostAnswer, HostCall};
use crate::slab::Slab;
use crate::wasi::ask::{ask, broken};
use crate::world::World;

/// The resources of wasi:keyvalue.
pub struct Bucket;
pub struct Cas;

/// What a guest has handles of.
pub struct KeyValue {
    /// Their names.
    pub buckets: Slab<String>,
    pub cas: Slab<Seen>,
}

/// A key as it was when its compare-and-swap began.
pub struct Seen {
    bucket: String,
    key: String,
    /// None: there was no such key.
    revision: Option<String>,
    pub value: Option<Vec<u8>>,
}

/// What a handle takes beside the texts behind it, about.
pub const HANDLE_BYTES: usize = 256;

impl Seen {
    pub fn bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(0, Vec::len);
        HANDLE_BYTES + self.bucket.len() + self.key.len() + value
    }
}

impl KeyValue {
    pub fn new() -> Self {
        KeyValue {
            buckets: Slab::new("buckets"),
            cas: Slab::new("cas handles"),
        }
    }
}

/// `error` of wasi:keyvalue/store.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub enum StoreError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub enum CasError {
    #[component(name = "store-error")]
    Store(StoreError),
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct KeyResponse {
    keys: Vec<String>,
    cursor: Option<String>,
}

pub type Context<'a> = StoreContextMut<'a, World>;
pub type Outcome<T> = std::result::Result<T, StoreError>;
pub type Pair = (String, Vec<u8>);

pub fn bucket_name(context: &Context<'_>, bucket: &Resource<Bucket>) -> Result<String> {
    context.data().key_value.buckets.get(bucket.rep()).cloned()
}

/// An answer, or the guest's error. One of another kind ends the attempt.
async fn asked<T>(
    context: &mut Context<'_>,
    call: HostCall<'_>,
    bytes: Vec<u8>,
    read: impl FnOnce(HostAnswer, Vec<u8>) -> Option<T>,
) -> Result<Outcome<T>> {
    let (answer, bytes) = ask(context, &call, bytes).await?;
    if let HostAnswer::KvError { code, detail } = answer {
        return Ok(Err(match &*code {
            "no-such-store" => StoreError::NoSuchStore,
            "access-denied" => StoreError::AccessDenied,
            _ => StoreError::Other(detail.unwrap_or_default()),
        }));
    }
    match read(answer, bytes) {
        Some(read) => Ok(Ok(read)),
        None => broken(context),
    }
}

async fn look(context: &mut Context<'_>, bucket: &str, key: &str) -> Result<Outcome<Seen>> {
    let call = HostCall::Get { bucket, key };
    asked(context, call, Vec::new(), |answer, bytes| match answer {
        HostAnswer::Value { found, revision } => Some(Seen {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            revision: revision.filter(|_| found),
            value: found.then_some(bytes),
        }),
        _ => None,
    })
    .await
}

pub async fn get(
    context: &mut Context<'_>,
    bucket: &str,
    key: &str,
) -> Result<Outcome<Option<Vec<u8>>>> {
    let seen = look(context, bucket, key).await?;
    Ok(seen.map(|seen| seen.value))
}

pub async fn put(
    context: &mut Context<'_>,
    bucket: &str,
    key: &str,
    value: Vec<u8>,
) -> Result<Outcome<()>> {
    let done = set(context, bucket, key, value, None).await?;
    Ok(done.map(|_| ()))
}

/// Sets a value; whether it was done, which depends on the revision alone.
async fn set(
    context: &mut Context<'_>,
    bucket: &str,
    key: &str,
    value: Vec<u8>,
    revision: Option<Option<&str>>,
) -> Result<Outcome<bool>> {
    let call = HostCall::Set {
        bucket,
        key,
        revision,
    };
    asked(context, call, value, |answer, _| match answer {
        HostAnswer::Done { changed } => Some(changed),
        _ => None,
    })
    .await
}

pub async fn delete(context: &mut Context<'_>, bucket: &str, key: &str) -> Result<Outcome<()>> {
    let call = HostCall::Delete { bucket, key };
    asked(context, call, Vec::new(), |answer, _| {
        matches!(answer, HostAnswer::Done { .. }).then_some(())
    })
    .await
}

pub async fn exists(context: &mut Context<'_>, bucket: &str, key: &str) -> Result<Outcome<bool>> {
    let call = HostCall::Exists { bucket, key };
    asked(context, call, Vec::new(), |answer, _| match answer {
        HostAnswer::Value { found, .. } => Some(found),
        _ => None,
    })
    .await
}

pub async fn keys(
    context: &mut Context<'_>,
    bucket: &str,
    cursor: Option<&str>,
) -> Result<Outcome<KeyResponse>> {
    let call = HostCall::Keys { bucket, cursor };
    asked(context, call, Vec::new(), |answer, _| match answer {
        HostAnswer::Keys { keys, cursor } => Some(KeyResponse { keys, cursor }),
        _ => None,
    })
    .await
}

pub async fn increment(
    context: &mut Context<'_>,
    bucket: &str,
    key: &str,
    delta: i64,
) -> Result<Outcome<i64>> {
    let delta = delta.to_string();
    let call = HostCall::Increment { bucket, key, delta };
    asked(context, call, Vec::new(), |answer, _| match answer {
        HostAnswer::Count { value } => value.parse().ok(),
        _ => None,
    })
    .await
}

fn add_cas(context: &mut Context<'_>, seen: Seen) -> Result<Resource<Cas>> {
    let world = context.data_mut();
    world.hold(seen.bytes())?;
    Ok(Resource::new_own(world.key_value.cas.add(seen)?))
}

pub fn remove_cas(context: &mut Context<'_>, cas: u32) -> Result<Seen> {
    let world = context.data_mut();
    let seen = world.key_value.cas.remove(cas)?;
    world.release(seen.bytes());
    Ok(seen)
}

pub async fn new_cas(
    context: &mut Context<'_>,
    bucket: &str,
    key: &str,
) -> Result<Outcome<Resource<Cas>>> {
    match look(context, bucket, key).await? {
        Ok(seen) => add_cas(context, seen).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

pub async fn swap(
    context: &mut Context<'_>,
    cas: Resource<Cas>,
    value: Vec<u8>,
) -> Result<std::result::Result<(), CasError>> {
    let seen = remove_cas(context, cas.rep())?;
    let Seen { bucket, key, .. } = &seen;
    let revision = Some(seen.revision.as_deref());
    match set(context, bucket, key, value, revision).await? {
        Ok(true) => Ok(Ok(())),
        Ok(false) => Ok(Err(match new_cas(context, bucket, key).await? {
            Ok(cas) => CasError::Failed(cas),
            Err(error) => CasError::Store(error),
        })),
        Err(error) => Ok(Err(CasError::Store(error))),
    }
}

pub async fn get_many(
    context: &mut Context<'_>,
    bucket: &str,
    keys: Vec<String>,
) -> Result<Outcome<Vec<Option<Pair>>>> {
    let mut pairs = Vec::new();
    let mut bytes = 0;
    for key in keys {
        match look(context, bucket, &key).await? {
            Ok(seen) => {
                bytes += seen.bytes();
                context.data_mut().hold(seen.bytes())?;
                pairs.push(seen.value.map(|value| (key, value)));
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    context.data_mut().release(bytes);
    Ok(Ok(pairs))
}

pub async fn set_many(
    context: &mut Context<'_>,
    bucket: &str,
    pairs: Vec<Pair>,
) -> Result<Outcome<()>> {
    for (key, value) in pairs {
        if let Err(error) = put(context, bucket, &key, value).await? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

pub async fn delete_many(
    context: &mut Context<'_>,
    bucket: &str,
    keys: Vec<String>,
) -> Result<Outcome<()>> {
    for key in keys {
        if let Err(error) = delete(context, bucket, &key).await? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}
