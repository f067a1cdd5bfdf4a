use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use wasmtime::component::{ComponentType, Lift, Lower};

/// `input` of millrace:step/types.
#[derive(ComponentType, Lower, Deserialize)]
#[component(record)]
pub struct Input<'a> {
    #[serde(borrow)]
    event: Event<'a>,
    #[serde(borrow, deserialize_with = "outputs")]
    steps: Vec<StepOutput<'a>>,
    #[serde(borrow)]
    ctx: Context<'a>,
}

#[derive(ComponentType, Lower, Deserialize)]
#[component(record)]
pub struct Event<'a> {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(borrow, deserialize_with = "json")]
    data: &'a str,
    #[serde(borrow, default, deserialize_with = "some_json")]
    user: Option<&'a str>,
    #[serde(deserialize_with = "milliseconds")]
    ts: u64,
    #[serde(default, deserialize_with = "some_text")]
    v: Option<String>,
    #[serde(borrow, default, deserialize_with = "some_json")]
    attributes: Option<&'a str>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct StepOutput<'a> {
    step: String,
    output: &'a str,
}

#[derive(ComponentType, Lower, Deserialize)]
#[serde(rename_all = "camelCase")]
#[component(record)]
pub struct Context<'a> {
    #[component(name = "run-id")]
    #[serde(deserialize_with = "text")]
    run_id: String,
    #[component(name = "function-id")]
    #[serde(deserialize_with = "text")]
    function_id: String,
    #[component(name = "function-version")]
    #[serde(deserialize_with = "text")]
    function_version: String,
    #[component(name = "step-id")]
    #[serde(deserialize_with = "text")]
    step_id: String,
    attempt: u32,
    #[serde(deserialize_with = "milliseconds")]
    deadline: u64,
    #[component(name = "idempotency-key")]
    #[serde(deserialize_with = "text")]
    idempotency_key: String,
    #[serde(borrow, default, deserialize_with = "some_json")]
    user: Option<&'a str>,
    #[serde(default, deserialize_with = "some_text")]
    traceparent: Option<String>,
    #[serde(borrow, default, deserialize_with = "some_json")]
    failure: Option<&'a str>,
}

/// `failure` of millrace:step/types.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum Failure {
    #[component(name = "retry")]
    Retry(RetryLater),
    #[component(name = "fatal")]
    Fatal(String),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct RetryLater {
    pub message: String,
    pub after: Option<u64>,
}

/// The parameters and results of the typed world's `run`.
pub type TypedParams<'a> = (Input<'a>,);
pub type TypedResults = (Result<String, Failure>,);

/// Of the input, what a program needs beside its text.
#[derive(Deserialize)]
pub struct Named {
    ctx: NamedContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedContext {
    #[serde(deserialize_with = "text")]
    step_id: String,
}

impl Input<'_> {
    pub fn step_id(&self) -> &str {
        &self.ctx.step_id
    }
}

impl Named {
    pub fn step_id(self) -> String {
        self.ctx.step_id
    }
}

/// JSON text as it stands in the input; nothing is read twice.
fn json<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<&'a str, D::Error> {
    <&'de RawValue>::deserialize(from).map(RawValue::get)
}

/// Whatever is there is some JSON, `null` too.
fn some_json<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a str>, D::Error> {
    json(from).map(Some)
}

fn some_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from).map(Some)
}

/// A string of JavaScript: its lone surrogates have no UTF-8, and become U+FFFD.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_bytes(TextVisitor)
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        if let Ok(text) = str::from_utf8(bytes) {
            return Ok(text.to_owned());
        }
        // The parser gives a lone surrogate as three bytes: ED, A0 to BF, 80 to BF.
        let mut mended = bytes.to_vec();
        let mut at = 0;
        while at + 2 < mended.len() {
            if mended[at] == 0xed && mended[at + 1] >= 0xa0 {
                mended[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
            }
            at += 1;
        }
        Ok(String::from_utf8_lossy(&mended).into_owned())
    }
}

/// u64 has no fractions and nothing before 1970.
fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    // Out of range, `as` gives the nearest bound.
    f64::deserialize(from).map(|value| value as u64)
}

/// An object's values, in its order.
fn outputs<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Vec<StepOutput<'a>>, D::Error> {
    struct OutputsVisitor;
    impl<'de> Visitor<'de> for OutputsVisitor {
        type Value = Vec<StepOutput<'de>>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut outputs = Vec::new();
            while let Some(Key(step)) = map.next_key()? {
                let output = map.next_value::<&RawValue>()?.get();
                outputs.push(StepOutput { step, output });
            }
            Ok(outputs)
        }
    }
    from.deserialize_map(OutputsVisitor)
}

struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text(from).map(Key)
    }
}
