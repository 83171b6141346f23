//! The load test: every function by itself behind a stand-in for AWS, then the deployed API of both modes on
//! the embedded AWS, with thousands of requests that succeed, are refused, make no sense or meet a failing AWS.
//! `make load` builds what it needs and runs it; `README.md` in this package says what it does and why.

mod bare;
mod deployed;
mod report;
mod tally;

use std::path::Path;
use std::time::Duration;

use e2e::Mode;

/// The time after which it gives up, whatever it waits for.
const MOST_TIME: Duration = Duration::from_secs(600);

fn main() {
    std::thread::spawn(|| {
        std::thread::sleep(MOST_TIME);
        eprintln!(
            "\nThe load test did not end within {} s.",
            MOST_TIME.as_secs()
        );
        std::process::exit(1);
    });
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = bare::run(&package.join("../../target"));
    let modes = [Mode::UserPassword, Mode::Passwordless];
    let deployed = deployed::run(modes);

    let verdicts = report::verdicts(&functions, &deployed);
    let page = report::page(&functions, &deployed, &verdicts);
    println!("\n{page}");
    std::fs::write(package.join("load.md"), page).unwrap();
    let failures: Vec<&String> = verdicts.iter().flat_map(|it| &it.failures).collect();
    for failure in &failures {
        eprintln!("{failure}");
    }
    if !failures.is_empty() {
        std::process::exit(1);
    }
}
