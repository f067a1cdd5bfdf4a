mod store;

use wasmtime::Result;
use wasmtime::component::{Resource, ResourceType};

use super::Instance;
pub use store::KeyValue;
use store::*;

/// Functions of a bucket all of which ask the host.
macro_rules! on_bucket {
    ($to:ident, $item:ident, |$context:ident, $bucket:ident, $($param:ident: $type:ty),+| $call:expr) => {
        $to.func_wrap_async(
            $item,
            |mut $context: Context<'_>, ($bucket, $($param),+): (Resource<Bucket>, $($type),+)| {
                Box::new(async move {
                    let $bucket = &*bucket_name(&$context, &$bucket)?;
                    let $context = &mut $context;
                    Ok(($call.await?,))
                })
            },
        )?
    };
}

/// wasi:keyvalue: the host keeps what is behind it.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match interface {
        "wasi:keyvalue/store" => link_store(to, item),
        "wasi:keyvalue/atomics" => link_atomics(to, item),
        "wasi:keyvalue/batch" => link_batch(to, item),
        _ => Ok(false),
    }
}

fn link_store(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        // Whether it is there is told by whatever is done with it.
        "open" => to.func_wrap(item, |mut context: Context<'_>, (name,): (String,)| {
            let world = context.data_mut();
            world.hold(HANDLE_BYTES + name.len())?;
            let bucket = Resource::<Bucket>::new_own(world.key_value.buckets.add(name)?);
            Ok((Ok::<_, StoreError>(bucket),))
        })?,
        "[method]bucket.get" => {
            on_bucket!(to, item, |context, bucket, key: String| get(
                context, bucket, &key
            ))
        }
        "[method]bucket.set" => {
            on_bucket!(to, item, |context, bucket, key: String, value: Vec<u8>| {
                put(context, bucket, &key, value)
            })
        }
        "[method]bucket.delete" => {
            on_bucket!(to, item, |context, bucket, key: String| delete(
                context, bucket, &key
            ))
        }
        "[method]bucket.exists" => {
            on_bucket!(to, item, |context, bucket, key: String| exists(
                context, bucket, &key
            ))
        }
        "[method]bucket.list-keys" => {
            on_bucket!(to, item, |context, bucket, cursor: Option<String>| keys(
                context,
                bucket,
                cursor.as_deref()
            ))
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_atomics(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "increment" => {
            on_bucket!(to, item, |context, bucket, key: String, delta: i64| {
                increment(context, bucket, &key, delta)
            })
        }
        "[static]cas.new" => {
            on_bucket!(to, item, |context, bucket, key: String| new_cas(
                context, bucket, &key
            ))
        }
        "[method]cas.current" => {
            to.func_wrap(item, |context: Context<'_>, (cas,): (Resource<Cas>,)| {
                let seen = context.data().key_value.cas.get(cas.rep())?;
                Ok((Ok::<_, StoreError>(seen.value.clone()),))
            })?
        }
        "swap" => to.func_wrap_async(
            item,
            |mut context: Context<'_>, (cas, value): (Resource<Cas>, Vec<u8>)| {
                Box::new(async move { Ok((swap(&mut context, cas, value).await?,)) })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_batch(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "get-many" => {
            on_bucket!(to, item, |context, bucket, keys: Vec<String>| get_many(
                context, bucket, keys
            ))
        }
        "set-many" => {
            on_bucket!(to, item, |context, bucket, pairs: Vec<Pair>| set_many(
                context, bucket, pairs
            ))
        }
        "delete-many" => {
            on_bucket!(to, item, |context, bucket, keys: Vec<String>| delete_many(
                context, bucket, keys
            ))
        }
        _ => return Ok(false),
    }
    Ok(true)
}

pub fn link_resource(to: &mut Instance<'_>, item: &str) -> Result<()> {
    if item == "bucket" {
        let drop = |mut context: Context<'_>, bucket: u32| {
            let world = context.data_mut();
            let name = world.key_value.buckets.remove(bucket)?;
            world.release(HANDLE_BYTES + name.len());
            Ok(())
        };
        return to.resource(item, ResourceType::host::<Bucket>(), drop);
    }
    to.resource(
        item,
        ResourceType::host::<Cas>(),
        |mut context: Context<'_>, cas| remove_cas(&mut context, cas).map(drop),
    )
}
