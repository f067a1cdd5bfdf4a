//! A step gets the event, the outputs of the steps before, and who runs this attempt, as JSON on stdin. What it prints is
//! its output, stderr its log. Exit code 65 fails it for good; after any other it is tried again.

use serde_json::{Value, json};

fn main() {
    let Ok(input) = serde_json::from_reader::<_, Value>(std::io::stdin()) else {
        std::process::exit(65);
    };
    let name = input["event"]["data"]["name"].as_str().unwrap_or("world");
    eprintln!("greeting {name}, attempt {}", input["ctx"]["attempt"]);
    println!("{}", json!({ "text": format!("Hello, {name}!") }));
}
