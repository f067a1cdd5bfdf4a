//! What Wasmtime itself takes: fresh instances and calls of a typed component in a loop, as a Rust program would make
//! them. `rust-loop <component> <input.json> <calls>` prints the median and the mean in microseconds as JSON.
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use millrace_wasmtime::plain;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, input, calls] = &arguments[..] else {
        eprintln!("rust-loop <component> <input.json> <calls>");
        return ExitCode::from(2);
    };
    match measure(component, input, calls) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(component: &str, input: &str, calls: &str) -> Result<(), Box<dyn std::error::Error>> {
    let calls: usize = calls.parse()?;
    let step = plain::Step::new(&std::fs::read(component)?)?;
    let input: Arc<str> = std::fs::read_to_string(input)?.into();
    for _ in 0..calls / 10 {
        step.call(&input)?;
    }
    let mut times = Vec::with_capacity(calls);
    let began = Instant::now();
    for _ in 0..calls {
        let began = Instant::now();
        step.call(&input)?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    let mean = began.elapsed().as_secs_f64() * 1e6 / calls as f64;
    times.sort_by(f64::total_cmp);
    println!("{{\"median\":{:.3},\"mean\":{mean:.3}}}", times[calls / 2]);
    Ok(())
}
