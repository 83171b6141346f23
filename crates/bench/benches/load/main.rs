//! The load test. It sends thousands of requests to each function with a stand-in for AWS, then to the deployed API of
//! both modes on the embedded AWS. The requests are valid, rejected or malformed, and AWS fails during some. `make
//! load` runs it. `README.md` in this package explains it.

mod deployed;
mod functions;
mod report;
mod tally;

use std::path::Path;
use std::time::Duration;

use e2e::Mode;

/// The time limit of the whole test.
const MAX_TIME: Duration = Duration::from_secs(600);

fn main() {
    std::thread::spawn(|| {
        std::thread::sleep(MAX_TIME);
        eprintln!(
            "\nThe load test did not end within {} s.",
            MAX_TIME.as_secs()
        );
        std::process::exit(1);
    });
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let functions = functions::run(&package.join("../../target"));
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
