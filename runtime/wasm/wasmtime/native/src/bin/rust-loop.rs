//! What Wasmtime itself takes: fresh instances and calls of a typed component in a loop, as a Rust program would make
//! them. `rust-loop <component> <input.json> <calls> [no-epochs]` prints as JSON the median and the mean in microseconds,
//! and the median of reading the input alone.
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use millrace_wasmtime::plain;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, input, calls, rest @ ..] = &arguments[..] else {
        eprintln!("rust-loop <component> <input.json> <calls> [no-epochs]");
        return ExitCode::from(2);
    };
    let epochs = rest.first().is_none_or(|flag| flag != "no-epochs");
    match measure(component, input, calls, epochs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(
    component: &str,
    input: &str,
    calls: &str,
    epochs: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let calls: usize = calls.parse()?;
    let step = plain::Step::new(&std::fs::read(component)?, epochs)?;
    let input: Arc<str> = std::fs::read_to_string(input)?.into();
    for _ in 0..calls / 10 {
        step.call(&input)?;
    }
    let began = Instant::now();
    let median = median_of(calls, || step.call(&input).map(drop))?;
    let mean = began.elapsed().as_secs_f64() * 1e6 / calls as f64;
    let read = median_of(calls, || plain::Step::read(&input))?;
    println!("{{\"median\":{median:.3},\"mean\":{mean:.3},\"read\":{read:.3}}}");
    Ok(())
}

/// In microseconds.
fn median_of<E>(calls: usize, mut call: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        call()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[calls / 2])
}
