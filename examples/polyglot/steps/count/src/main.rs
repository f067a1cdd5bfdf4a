use std::collections::BTreeMap;

use serde_json::{Value, json};

fn main() {
    let input: Value = serde_json::from_reader(std::io::stdin()).expect("the input is JSON");
    let Some(words) = input["steps"]["words"]["words"].as_array() else {
        eprintln!("there are no words");
        // What is wrong with the input stays wrong: no other attempt can help.
        std::process::exit(65);
    };
    let mut counts = BTreeMap::new();
    for word in words.iter().filter_map(Value::as_str) {
        *counts.entry(word).or_insert(0) += 1;
    }
    println!("{}", json!({ "counts": counts }));
}
