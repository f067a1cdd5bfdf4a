use serde_json::{Value, json};

fn main() {
    let input: Value = serde_json::from_reader(std::io::stdin()).expect("the input is JSON");
    let text = input["steps"]["greet"]["text"].as_str().unwrap_or_default();
    println!("{}", json!({ "letters": text.chars().count() }));
}
