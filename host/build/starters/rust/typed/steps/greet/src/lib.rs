//! A typed step exports millrace:step/handler: it gets its input as records, and returns its output as JSON text.

use exports::millrace::step::handler::{Failure, Guest, Input};
use millrace::step::log::{Level, log};
use serde_json::{Value, json};

wit_bindgen::generate!({ path: "wit", world: "step" });

struct Greet;

impl Guest for Greet {
    fn run(Input { event, ctx, .. }: Input) -> Result<String, Failure> {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| Failure::Fatal(error.to_string()))?;
        let name = data["name"].as_str().unwrap_or("world");
        log(Level::Info, &format!("greeting {name}, attempt {}", ctx.attempt));
        Ok(json!({ "text": format!("Hello, {name}!") }).to_string())
    }
}

export!(Greet);
